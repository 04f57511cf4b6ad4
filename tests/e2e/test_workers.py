"""Several replicators of one region: they share its shards by leases, take over from each other, and
nothing is missed or applied twice whichever of them dies or only seems to."""

import json

import pytest
import yaml

from cluster import Cluster, Process, http_get, program, wait_until
from load import Load
from ports import free_port

SHARDS = 4


@pytest.fixture
def pair(tmp_path):
    with Cluster(tmp_path, count=2, shards=SHARDS) as made:
        made.create_global_table("Orders", stream="NEW_AND_OLD_IMAGES")
        yield made
        assert not made.deaths()


class Worker:
    """A further replicator of a region."""

    def __init__(self, cluster, region, name):
        settings = yaml.safe_load((region.folder / "replicator.yaml").read_text())
        port = free_port()
        settings.update(worker=name, admin=f"127.0.0.1:{port}")
        path = region.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(settings))
        self.url = f"http://127.0.0.1:{port}"
        self.process = Process(name, [program("replicator"), "--config", str(path)],
                               region.folder / f"{name}.log", f"{self.url}/readyz")
        deployment = yaml.safe_load(cluster.deployment.read_text())
        entry = next(r for r in deployment["regions"] if r["name"] == region.name)
        entry.setdefault("worker_admins", []).append(f"127.0.0.1:{port}")
        cluster.deployment.write_text(yaml.safe_dump(deployment))


@pytest.fixture
def second(pair):
    worker = Worker(pair, pair[0], "worker-2")
    yield worker
    worker.process.kill()


def status(url):
    code, body = http_get(f"{url}/v1/status")
    return json.loads(body) if code == 200 else None


def held(url):
    return (status(url) or {}).get("leases_held")


def owners(url):
    return {row["owner"].split("/")[0] for row in status(url)["leases"]}


def wait_held(shares, seconds=30):
    """`shares`: how many shards each worker is to hold, by the address of its admin pages."""
    wait_until(lambda: all(held(url) == share for url, share in shares.items()), seconds,
               f"leases are held as {shares}; {[(url, status(url)) for url in shares]}")


def wait_drained(pair):
    wait_until(lambda: pair.link("Orders", pair[0], pair[1])["pending_records"] == 0, 30, "drained")


def test_one_of_two_workers_is_killed_under_load(pair, second):
    first = pair[0].replicator_url("")
    wait_held({first: SHARDS})
    with Load(pair, seed=1) as load:
        load.wait_progress()
        # A newcomer is given its share.
        second.process.start()
        wait_held({first: SHARDS // 2, second.url: SHARDS // 2})
        load.wait_progress()
        # Each shows the table as it was at its last round.
        wait_until(lambda: owners(first) == {"worker-1", "worker-2"}, 10, "both own some")
        assert len({row["token"] for row in status(first)["leases"]}) == SHARDS
        # And since when it is held, and how lately its holder was seen to live.
        wait_until(lambda: all(row["silent_ms"] < row["held_ms"] for row in status(first)["leases"]), 10,
                   "all have been renewed")
        # One dies, the other inherits.
        second.process.kill()
        wait_held({first: SHARDS})
        load.wait_progress()
        # The other way round.
        second.process.start()
        wait_held({first: SHARDS // 2, second.url: SHARDS // 2})
        pair[0].replicator.kill()
        wait_held({second.url: SHARDS})
        load.wait_progress()
        assert pair.cli("status").returncode == 1  # one worker is down, and said to be
        pair[0].replicator.start()
        wait_held({first: SHARDS // 2, second.url: SHARDS // 2})
    load.settle()
    wait_drained(pair)
    assert pair.cli("status").returncode == 0
    # Each ships its own shards, and lag shows the link once, of both.
    shipped = [{flow["shard"] for flow in status(url)["flows"]} for url in (first, second.url)]
    assert shipped[0] | shipped[1] == set(range(SHARDS)) and not shipped[0] & shipped[1]
    assert pair.link("Orders", pair[0], pair[1])["state"] in ("waiting", "running")
    # An orderly end hands over at once.
    assert second.process.stop() == 0
    wait_held({first: SHARDS})


def test_a_worker_that_only_seemed_dead(pair, second):
    first = pair[0].replicator_url("")
    second.process.start()
    wait_held({first: SHARDS // 2, second.url: SHARDS // 2})
    with Load(pair, seed=2) as load:
        load.wait_progress()
        second.process.pause()
        wait_until(lambda: any(row["owner"].startswith("worker-2/") and row["silent_ms"] > 2000
                               for row in status(first)["leases"]), 10, "its silence is seen")
        wait_held({first: SHARDS})
        load.wait_progress()
        # It wakes with all that it believes; what it ships again is nothing new to the sink.
        second.process.resume()
        wait_held({first: SHARDS // 2, second.url: SHARDS // 2})
        load.wait_progress()
    load.settle()
    wait_drained(pair)
    assert status(second.url)["leases_lost"] >= SHARDS // 2
    assert status(first)["leases_lost"] == 0
