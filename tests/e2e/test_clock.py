"""Regions whose clocks disagree, under libfaketime: what lies too far ahead is held with an alarm and
lost nowhere; who is to be believed is an operator's word."""

import glob
import re

import botocore.exceptions
import pytest

from cluster import Cluster, http_get, wait_until
from load import key_of

LIBRARY = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
AHEAD_SECONDS = 600


@pytest.fixture
def pair(tmp_path):
    assert LIBRARY, "the package faketime is missing: see deploy/packages"
    with Cluster(tmp_path, count=2) as made:
        made.create_global_table("Orders")
        yield made
        # (A node that refuses to start for its clock has ended with 1 before.)
        assert not made.deaths()


def put(region, name, value):
    region.client(attempts=1).put_item(
        TableName="Orders", Item={**key_of(name), "v": {"S": value}})


def value_at(region, name):
    item = region.client().get_item(TableName="Orders", Key=key_of(name)).get("Item")
    return item and item["v"]["S"]


def refused(region, name):
    """The error of a write; empty when it was taken."""
    try:
        put(region, name, "refused?")
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500, "it may be tried again"
        return error.response["Error"]["Message"]
    return ""


def metric(region, name):
    page = http_get(region.admin_url("/metrics"))[1]
    return float(re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE).group(1))


class FakeClock:
    """Sets the wall clocks of a region's processes off; monotonic time goes on as it is."""

    def __init__(self, region):
        self.file = region.folder / "clock"
        self.set(0)
        self.processes = (region.node, region.replicator)
        self.plain = [p.argv for p in self.processes]
        for process in self.processes:
            process.argv = [
                "env", f"LD_PRELOAD={LIBRARY[0]}", "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1",
                f"FAKETIME_TIMESTAMP_FILE={self.file}", *process.argv]

    def set(self, seconds):
        self.file.write_text(f"{seconds:+d}\n")

    def remove(self):
        for process, argv in zip(self.processes, self.plain):
            process.argv = argv


def restart(region):
    for process in (region.replicator, region.node):
        assert process.stop() == 0
    region.node.start()
    region.replicator.start()


def test_ten_minutes_ahead(pair):
    ahead, right = pair
    put(ahead, "before", "1")
    pair.wait_identical("Orders", 30)
    assert pair.cli("clock", "status").returncode == 0
    clock = FakeClock(ahead)
    clock.set(AHEAD_SECONDS)
    restart(ahead)

    # What it writes is acknowledged, and held elsewhere: neither applied nor lost.
    put(ahead, "early", "from the future")
    status = wait_until(lambda: (lambda r: r["regions"][1]["held"] and r)(
        pair.cli_json("clock", "status", codes=(0, 1))), 30, "it is held")
    held = status["regions"][1]["held"][0]
    assert held["source"] == ahead.name
    assert AHEAD_SECONDS - 60 < held["ahead_ms"] / 1000 <= AHEAD_SECONDS
    assert pair.cli("clock", "status").returncode == 1
    assert value_at(right, "early") is None
    assert metric(right, f'meridian_clock_held_flows{{source="{ahead.name}"}}') >= 1
    assert metric(right, f'meridian_clock_held_ahead_seconds{{source="{ahead.name}"}}') > 500
    wait_until(lambda: "region_held_by_clock_guard" in right.node.log(), 10, "an alarm in the log")
    link = wait_until(lambda: (lambda row: row["state"] == "held" and row)(
        pair.link("Orders", ahead, right)), 30, "the link says so")
    assert link["pending_records"] >= 1
    # The offset of the link is measured and shown.
    assert wait_until(lambda: pair.link("Orders", ahead, right)["clock_offset_ms"], 30, "the offset") \
        < -1000 * (AHEAD_SECONDS - 60)
    # The other way everything goes on.
    put(right, "meanwhile", "1")
    wait_until(lambda: value_at(ahead, "meanwhile") == "1", 30, "the other way")

    # An operator takes it; later writes of the right region are not taken along.
    order = ("clock", "accept", "--region", right.name, "--from", ahead.name)
    said = pair.cli(*order)
    assert said.returncode == 2 and "--yes" in said.stderr and value_at(right, "early") is None
    assert pair.cli(*order, "--yes").returncode == 0
    wait_until(lambda: value_at(right, "early") == "from the future", 30, "it is released")
    put(right, "after", "1")
    assert "clock" in refused(right, "early").lower()

    # The clock is put right: then the region is behind its own versions, and says so before it starts.
    for process in (ahead.replicator, ahead.node):
        assert process.stop() == 0
    clock.remove()
    ahead.node.start(wait=False)
    assert ahead.node.popen.wait(20) == 1
    assert "wall clock" in ahead.node.log_tail(1) and "accept-old-clock" in ahead.node.log_tail(1)
    ahead.node.argv = [*ahead.node.argv, "--accept-old-clock", "true"]
    ahead.node.start(wait=False)
    wait_until(lambda: (lambda answer: answer[0] == 503 and "behind" in answer[1])(
        http_get(ahead.admin_url("/readyz"))), 20, "it is there, and says what it waits for")
    ahead.replicator.start()
    assert "clock" in refused(ahead, "new").lower()
    wait_until(lambda: value_at(ahead, "after") == "1", 30, "it takes what others write")
    assert value_at(ahead, "early") == "from the future"
    assert metric(ahead, "meridian_clock_minted_ahead_seconds") > 400
    pair.wait_identical("Orders", 30)


def test_a_step_while_it_runs(pair):
    region, other = pair
    clock = FakeClock(region)
    restart(region)
    put(region, "before", "1")
    pair.wait_identical("Orders", 30)

    def readiness(status):
        return wait_until(lambda: (lambda got: got[0] == status and got)(
            http_get(region.admin_url("/readyz"))), 20, f"/readyz says {status}")[1]

    # A step is not believed: no write is taken with it, until the clock is back.
    clock.set(AHEAD_SECONDS)
    assert "stepped" in readiness(503)
    assert "clock" in refused(region, "stepped").lower()
    assert value_at(region, "before") == "1"
    assert metric(region, "meridian_clock_stepped") == 1
    wait_until(lambda: "clock_stepped" in region.node.log(), 10, "an alarm in the log")
    put(other, "meanwhile", "1")
    wait_until(lambda: value_at(region, "meanwhile") == "1", 30, "it goes on applying")
    clock.set(0)
    readiness(200)
    put(region, "back", "1")
    wait_until(lambda: value_at(other, "back") == "1", 30, "nobody holds what it writes")

    # Or until an operator says that it is right.
    clock.set(AHEAD_SECONDS)
    readiness(503)
    assert pair.cli("clock", "accept", "--region", region.name).returncode == 0
    readiness(200)
    put(region, "accepted", "1")
    wait_until(lambda: pair.cli_json("clock", "status", codes=(0, 1))["regions"][1]["held"], 30,
               "and the others hold what it writes")
    assert value_at(other, "accepted") is None


def test_a_step_on_purpose_ends_by_itself(pair):
    region = pair[0]
    order = ("clock", "shift", "--region", region.name, "--by", "10m")
    said = pair.cli(*order)
    assert said.returncode == 2 and "--yes" in said.stderr and not refused(region, "before")
    assert pair.cli(*order, "--for", "2s", "--yes").returncode == 0
    assert "clock" in refused(region, "meanwhile").lower()
    assert metric(region, "meridian_clock_shift_seconds") == AHEAD_SECONDS
    wait_until(lambda: not refused(region, "after"), 30, "it is right again")
    assert metric(region, "meridian_clock_shift_seconds") == 0
    assert pair.cli(*order, "--for", "1h", "--yes").returncode == 0
    assert pair.cli("clock", "shift", "--region", region.name, "--by", "0").returncode == 0
    wait_until(lambda: not refused(region, "healed"), 30, "an operator ends it sooner")
    pair.wait_identical("Orders", 30)
