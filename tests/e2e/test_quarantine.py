"""Records that a region cannot apply: only their keys wait, and an operator or a newer version settles
them.  They are made by hand: the image of an item is changed in its region's file before it is shipped,
as though it were written by a newer release in an encoding that nobody else knows yet."""

import contextlib
import re
import sqlite3

import pytest
from botocore.exceptions import ClientError

from cluster import Cluster, http_get, wait_until
from load import key_of


@pytest.fixture
def pair(tmp_path):
    with Cluster(tmp_path, count=2) as made:
        made.create_global_table("Orders")
        yield made
        assert not made.deaths()


@contextlib.contextmanager
def file_of(region):
    """The file of a node that is stopped meanwhile."""
    assert region.node.stop() == 0
    file = sqlite3.connect(region.data_dir / "store.db")
    try:
        with file:
            yield file
    finally:
        file.close()
    region.node.start()


def put(region, name, value):
    region.client(attempts=5).put_item(
        TableName="Orders", Item={**key_of(name), "v": {"S": value}})


def value_at(region, name, unreadable=None):
    """`unreadable`: what to answer for an item that its own region cannot read; else that is an error."""
    try:
        item = region.client().get_item(TableName="Orders", Key=key_of(name)).get("Item")
    except ClientError:
        if unreadable is None:
            raise
        return unreadable
    return item and item["v"]["S"]


def metric(region, name):
    page = http_get(region.admin_url("/metrics"))[1]
    return float(re.search(rf'^{name}{{table="Orders"}} (\S+)$', page, re.MULTILINE).group(1))


def parked(cluster, *arguments):
    return cluster.cli_json("quarantine", "list", *arguments)["records"]


def make_poison(region, names):
    """Answers the images as they were, by key."""
    region.replicator.stop()
    for name in names:
        put(region, name, "of the future")
    put(region, "good", "as ever")
    with file_of(region) as file:
        rows = file.execute("SELECT key, image FROM item_1").fetchall()
        images = {key: image for key, image in rows
                  if any(name.encode() in key for name in names)}
        for key, image in images.items():
            file.execute("UPDATE item_1 SET image = ? WHERE key = ?", (b"\xff" + image[1:], key))
    assert len(images) == len(names)
    region.replicator.start()
    return images


def test_quarantine(pair):
    here, there = pair
    put(here, "calm", "1")
    pair.wait_identical("Orders", 30)
    done = pair.cli("quarantine", "list")
    assert (done.returncode, done.stdout) == (0, "nothing is in quarantine\n"), done.stderr
    images = make_poison(here, ["poison-a", "poison-b", "poison-c"])

    # Everything else goes on.
    wait_until(lambda: value_at(there, "good") == "as ever", 30, "the other keys arrive")
    records = wait_until(lambda: (lambda r: len(r) == 3 and r)(parked(pair)), 30, "three are parked")
    assert {r["region"] for r in records} == {there.name}
    assert {r["source"] for r in records} == {here.name}
    ids = {r["key_json"]["customer"]["S"]: r["id"] for r in records}
    assert set(ids) == {"poison-a", "poison-b", "poison-c"}
    assert value_at(there, "poison-a") is None
    wait_until(lambda: pair.link("Orders", here, there)["pending_records"] == 0, 30, "nothing waits")

    # It is seen.
    assert metric(there, "meridian_table_parked_records") == 3
    assert metric(there, "meridian_table_parked_oldest_timestamp_seconds") > 1_600_000_000
    assert metric(here, "meridian_table_parked_records") == 0
    wait_until(lambda: "records_in_quarantine" in there.node.log(), 10, "an alarm in the log")
    assert "poison-a" in pair.cli("quarantine", "list", "Orders", "--region", there.name).stdout
    assert parked(pair, "--region", here.name) == []
    shown = pair.cli_json("quarantine", "show", "Orders", ids["poison-a"], "--region", there.name)
    assert shown["reason"] and shown["image_hex"].startswith("ff")

    # The story of the item says so, with the reason, and what stands meanwhile.
    story = pair.cli_json("why", "Orders", "customer=poison-a", "order=o")["versions"]
    assert [version["quarantined_in"] for version in story] == [[there.name]], story
    assert "in quarantine: " in story[0]["regions"][there.name], story
    assert shown["reason"] in story[0]["regions"][there.name], story
    assert "in quarantine: " in pair.cli("why", "Orders", "customer=poison-a", "order=o").stdout
    calm = pair.cli_json("why", "Orders", "customer=calm", "order=o")["versions"]
    assert calm[0]["quarantined_in"] == [], calm

    def decide(action, *arguments, code):
        done = pair.cli("quarantine", action, "Orders", "--region", there.name, *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    # Nothing has changed, so trying again changes nothing.
    assert "still_parked" in decide("retry", "--all", code=1)
    assert len(parked(pair)) == 3
    assert "meridian quarantine list" in decide("retry", "0123456789abcdef", code=4)
    decide("retry", code=2)

    # A newer version retires the record by itself, wherever it is written.
    put(there, "poison-b", "newer")
    wait_until(lambda: value_at(here, "poison-b", unreadable="") == "newer", 30,
               "it beats the poison at its origin")
    assert {r["id"] for r in parked(pair)} == {ids["poison-a"], ids["poison-c"]}

    # To give one up is said first.
    said = decide("discard", ids["poison-c"], code=2)
    assert "gives up version" in said and "--yes" in said
    assert len(parked(pair)) == 2
    assert "discarded" in decide("discard", ids["poison-c"], "--yes", code=0)
    assert {r["id"] for r in parked(pair)} == {ids["poison-a"]}
    assert pair.verify("Orders")[0] == 1, "what was given up is a difference, and is told"
    put(here, "poison-c", "again")

    # An upgrade knows the encoding: then it is applied as any record.
    for region, table in ((there, "parked"), (here, "item_1")):
        with file_of(region) as file:
            for key, image in images.items():
                if b"poison-a" in key:
                    file.execute(f"UPDATE {table} SET image = ? WHERE key = ?", (image, key))
    assert "applied" in decide("retry", ids["poison-a"], code=0)
    assert value_at(there, "poison-a") == "of the future"
    assert parked(pair) == []
    assert metric(there, "meridian_table_parked_records") == 0
    pair.wait_identical("Orders", 30)
