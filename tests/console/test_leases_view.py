"""The console's leases: two workers of one region share its shards, one dies, and its leases are seen to
move."""

import json

import pytest
import yaml
from conftest import Page
from test_workers import Worker, status, wait_held

from cluster import Cluster

SHARDS = 4
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def pair(tmp_path):
    """Two regions; the first may have a second worker, which its consoles know of."""
    made = Cluster(tmp_path, count=2, shards=SHARDS)
    worker = Worker(made, made[0], "worker-2")
    for region in made:
        path = region.folder / "region-node.yaml"
        settings = yaml.safe_load(path.read_text())
        settings["console"]["replicators"].append(
            {"region": made[0].name, "address": worker.url.removeprefix("http://")})
        path.write_text(yaml.safe_dump(settings))
    with made:
        made.create_global_table("Orders", stream="NEW_AND_OLD_IMAGES")
        made.second = worker
        yield made
        worker.process.kill()


def cells(page, row):
    return page.eval_on_selector_all(f'[data-row="{row}"] td', "all => all.map(x => x.textContent)")


def leases(page):
    """Of the first region: shard -> (holder, token)."""
    rows = page.eval_on_selector_all('[data-row^="us-east-1/Orders/"]',
                                     "all => all.map(r => [...r.cells].map(c => c.textContent))")
    return {int(row[1]): (row[2], int(row[5])) for row in rows}


def wait_row(page, worker, state, held):
    page.wait_for_function(
        "([row, state, held]) => { const c = document.querySelector(`[data-row=\"${row}\"]`)?.cells;"
        " return c && c[1].textContent.startsWith(state) && c[3].textContent === held; }",
        arg=[f"us-east-1/{worker}", state, str(held)], timeout=20000)


def test_leases_are_shown_and_move_when_their_holder_dies(browser, pair):
    first, second = pair[0].replicator_url(""), pair.second
    seen = Page(browser, f"http://{pair[0].address('admin')}")
    page = seen.open("leases")
    wait_row(page, "worker-1", "alive", SHARDS)
    assert page.locator("text=down").count() == 1  # the second, which has not been started
    second.process.start()
    wait_held({first: SHARDS // 2, second.url: SHARDS // 2})
    wait_row(page, "worker-1", "alive", SHARDS // 2)
    wait_row(page, "worker-2", "alive", SHARDS // 2)

    # The page says what the workers say.
    told = {row["shard"]: (row["owner"].split("/")[0], row["token"]) for row in status(first)["leases"]}
    page.wait_for_function(
        "told => [...document.querySelectorAll('[data-row^=\"us-east-1/Orders/\"]')].every(r =>"
        " r.cells[2].textContent === told[r.cells[1].textContent][0])", arg=told, timeout=10000)
    assert leases(page) == told
    assert page.locator('[data-row^="us-east-1/Orders/"] .countdown').count() == SHARDS

    second.process.kill()
    wait_row(page, "worker-2", "down", SHARDS // 2)
    page.wait_for_selector('[data-row^="us-east-1/Orders/"] >> text=silent', timeout=10000)
    assert "not ready" in page.inner_text("#summary")
    wait_row(page, "worker-1", "alive", SHARDS)
    wait_row(page, "worker-2", "down", 0)
    moved = leases(page)
    assert {holder for holder, _ in moved.values()} == {"worker-1"}
    assert all(moved[shard][1] > told[shard][1] for shard in told if told[shard][0] == "worker-2")
    assert {shard: token for shard, (_, token) in moved.items()} == {
        row["shard"]: row["token"] for row in status(first)["leases"]}
    # Flows of both stand under Checkpoints.
    page = seen.open("checkpoints")
    page.wait_for_selector("text=The replicator cannot be reached.")

    second.process.start()
    page = seen.open("leases")
    wait_row(page, "worker-2", "alive", SHARDS // 2)
    page.wait_for_selector("#summary.good")
    # With nobody left, nothing is said.
    second.process.kill()
    pair[0].replicator.kill()
    page.wait_for_selector("text=who holds what is not known")
    for worker in ("worker-1", "worker-2"):
        wait_row(page, worker, "down", "–")
    seen.close(pair, [second.url])


def test_leases_on_a_phone(browser, pair):
    pair.second.process.start()
    seen = Page(browser, f"http://{pair[0].address('admin')}", **PHONE)
    page = seen.open("leases")
    wait_row(page, "worker-2", "alive", SHARDS // 2)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    seen.close(pair, [pair.second.url])


SHARED = """async (workers) => {
  const { leasesOf, workersOf } = await import('/console/lib/leases.js');
  const one = { workers: workers.map((status, i) => ({ name: `worker-${i + 1}`, asked: true, status })) };
  const leases = leasesOf(one);
  const seconds = since => Math.round((Date.now() - since) / 1000);
  return [leases && { ...leases, rows: leases.rows.map(r => [r.name, r.exact, r.left, seconds(r.since)]) },
    workersOf(one, leases).map(w => [w.name, w.held, w.silent])];
}"""


def lease(owner, own, held_ms, silent_ms=100):
    return {"table": "T", "table_id": "7", "shard": 0, "owner": owner, "wanted": "", "token": 3, "own": own,
            "held_ms": held_ms, "silent_ms": silent_ms}


def told(worker, look_ms, *rows):
    return {"worker": worker, "lease_ms": 3500, "lease_look_ms": look_ms, "leases": list(rows)}


def test_what_workers_say_is_put_together(console):
    page = console.open("leases")

    def shared(*workers):
        return json.loads(json.dumps(page.evaluate(SHARED, list(workers))))

    # The freshest look is taken, and the holder's word on since when.
    leases, workers = shared(told("worker-1/a", 900, lease("worker-1/a", True, 60_000)),
                             told("worker-2/b", 100, lease("worker-1/a", False, 5_000, 700)))
    assert leases["seenBy"] == "worker-2" and leases["rows"] == [["worker-1", True, 2800, 60]]
    assert workers == [["worker-1", 1, 700], ["worker-2", 0, None]]
    # A holder that says nothing, and one that nobody told this console of.
    leases, workers = shared(None, told("worker-2/b", 100, lease("worker-3/c", False, 5_000, 9_000)))
    assert leases["rows"] == [["worker-3", False, 0, 5]]
    assert workers == [["worker-1", 0, None], ["worker-2", 0, None], ["worker-3", 1, 9_000]]
    # Nobody says anything, nor how many each holds; one has not looked yet; one shares with nobody.
    assert shared(None) == [None, [["worker-1", None, None]]]
    assert shared(told("worker-1/a", None))[0] is None
    assert shared(told("", 100))[0] is None
