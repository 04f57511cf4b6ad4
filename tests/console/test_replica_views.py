"""The console's tables: a copy is watched while it goes on, and the lineage of a stream's shards is drawn."""

import pytest
from conftest import Page
from test_quarantine import file_of

from cluster import Cluster, wait_until

ITEMS = 400
SLOW = 48 * 1024  # bytes a second of a copy
HOURS = 3600 * 1000


@pytest.fixture
def slow(tmp_path):
    """A table with items in two of three regions; a third copies slowly."""
    made = Cluster(tmp_path)
    path = made[2].folder / "region-node.yaml"
    path.write_text(path.read_text() + f"copy_bytes_per_s_max: {SLOW}\n")
    with made:
        made.create_global_table("Orders", stream="NEW_AND_OLD_IMAGES", regions=made.regions[:2])
        client = made[0].client()
        for first in range(0, ITEMS, 25):
            client.batch_write_item(RequestItems={"Orders": [{"PutRequest": {"Item": {
                "customer": {"S": f"customer-{n}"}, "order": {"S": "1"}, "note": {"S": "x" * 1000}}}}
                for n in range(first, first + 25)]})
        yield made


def replica_status(region, name):
    listed = region.client().describe_table(TableName="Orders")["Table"].get("Replicas", [])
    return next((r["ReplicaStatus"] for r in listed if r["RegionName"] == name), None)


def test_a_copy_is_begun_watched_and_removed_again(browser, slow):
    here, _, third = slow
    seen = Page(browser, f"http://{here.address('admin')}")
    page = seen.open("table/Orders")
    page.evaluate("window.opened = true")
    page.click(f'[data-key="add-{third.name}"]')
    page.wait_for_function(
        "() => { const bar = document.querySelector('[role=progressbar]');"
        " return bar && bar.ariaValueNow > 0 && bar.ariaValueNow < 100; }", timeout=30000)
    assert "rows" in page.inner_text(".copy")
    assert replica_status(here, third.name) == "CREATING"
    page.wait_for_selector("[role=progressbar]", state="detached", timeout=60000)
    slow.wait_active("Orders", slow.regions, replicas=2)
    row = page.locator("tr", has_text=third.name).first
    row.locator("text=ACTIVE").wait_for()
    wait_until(lambda: row.locator("td").nth(2).inner_text() == str(ITEMS), 20, "all are counted there")
    row.locator("button.danger").click()
    page.locator("dialog button.danger").click()
    wait_until(lambda: replica_status(here, third.name) is None, 30, "the replica is gone")
    page.wait_for_selector(f'[data-key="add-{third.name}"]')
    assert page.evaluate("window.opened"), "it was not loaded again"
    seen.close(slow)


def shards_of(region):
    table = region.client().describe_table(TableName="Orders")["Table"]
    described = region.client("dynamodbstreams").describe_stream(StreamArn=table["LatestStreamArn"])
    return {s["ShardId"]: s.get("ParentShardId") for s in described["StreamDescription"]["Shards"]}


def grow_older(region):
    """As if the open shards of its streams had been opened long ago."""
    with file_of(region) as file:
        file.execute("UPDATE stream_shards SET created_ms = created_ms - ? WHERE last_seq IS NULL",
                     (5 * HOURS,))


def test_the_lineage_of_shards_is_drawn(console, regions):
    here = regions[0]
    for n in range(60):  # some in each shard: an empty one does not roll over
        here.client().put_item(TableName="Orders", Item={"customer": {"S": str(n)}, "order": {"S": "1"}})
    before = shards_of(here)
    page = console.open("table/Orders")
    page.wait_for_function("n => document.querySelectorAll('.lineage .shard.open').length === n",
                           arg=len(before), timeout=15000)
    assert page.locator(".lineage .shard.closed").count() == 0
    grow_older(here)
    wait_until(lambda: len(shards_of(here)) == 2 * len(before), 30, "they have rolled over")
    page.wait_for_function("n => document.querySelectorAll('.lineage li ol .shard.open').length === n",
                           arg=len(before), timeout=15000)
    drawn = page.eval_on_selector_all(".lineage .shard", """all => all.map(x => [x.title,
        x.parentElement.parentElement.parentElement.querySelector(':scope > .shard')?.title ?? null])""")
    assert {shard: parent for shard, parent in drawn} == shards_of(here)
    # The whole ids, to be copied; unfolded it stays so.
    page.click("summary")
    page.select_option("select[aria-label='Region of the stream']", regions[1].name)
    other = shards_of(regions[1])
    page.wait_for_function("n => document.querySelectorAll('.lineage .shard').length === n", arg=len(other))
    shown = page.eval_on_selector_all("details td:first-child", "all => all.map(x => x.textContent)")
    assert set(shown) == set(other)
    assert page.locator("details[open]").count() == 1
