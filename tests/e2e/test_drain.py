"""`meridian drain`: a yes is certain, and a no says what is missing."""

import json
import random
import re
import sqlite3
import threading
import time
import urllib.error
import urllib.request

import pytest

from cluster import Cluster, http_get, wait_until
from load import Load, contents, key_of
from test_quarantine import make_poison, put, value_at


def drain(cluster, source, sink, *arguments, code=0):
    report = cluster.cli_json("drain", "--from", source.name, "--to", sink.name, *arguments,
                              codes=(code,))
    assert report["drained"] == (code == 0), report
    return report


def watermark(region, origin):
    page = http_get(region.admin_url("/metrics"))[1]
    line = (r'^meridian_table_watermark_timestamp_seconds{table="Orders",origin="%s"} (\S+)$'
            % origin.name)
    return float(re.search(line, page, re.MULTILINE).group(1))


def cut(cluster, source, sink):
    cluster.cli_json("link", "cut", "--from", source.name, "--to", sink.name, "--for", "10m")


def heal(cluster, source, sink):
    cluster.cli_json("link", "heal", "--from", source.name, "--to", sink.name)


def cut_at_once(source, sink):
    """As `meridian link cut`, without the time that a program takes to start."""
    for url in (source.admin_url, source.replicator_url):
        request = urllib.request.Request(url(f"/v1/links/{sink.name}/cut?for_ms=600000"),
                                         data=b"", method="POST")
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200


class Later(threading.Thread):
    """Writes that nobody has asked about, shipped or not, while the link is cut beneath them."""

    def __init__(self, region):
        super().__init__(daemon=True)
        self.client = region.client(attempts=5)
        self.ending = threading.Event()
        self.written = 0
        self.failure = None

    def run(self):
        try:
            while not self.ending.is_set():
                self.client.put_item(TableName="Orders", Item={
                    **key_of(f"later-{self.written % 100}"), "v": {"S": "x" * 1000}})
                self.written += 1
        except Exception as error:  # noqa: BLE001 - raised in the test's own thread
            self.failure = error

    def wait_for(self, writes):
        while self.written < writes and not self.failure:
            time.sleep(0)

    def finish(self):
        self.ending.set()
        self.join()
        if self.failure:
            raise self.failure


def test_what_is_drained_survives_a_cut(orders, long):
    """The link is cut at a random moment after the yes: what had been acknowledged is all there."""
    source, sink, other = orders
    table, reader = source.client(attempts=5), sink.client(attempts=5)
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Load(orders, [sink, other], pause=0.01) as load:
        load.wait_progress()
        for number in range(200 if long else 12):
            names = [f"round-{number}-{i}" for i in range(20)]
            for name in names:
                table.put_item(TableName="Orders", Item={**key_of(name), "v": {"S": name}})
            report = drain(orders, source, sink, "--wait", "60s")
            assert report["pending_records"] == 0 and report["parked_records"] == 0, report
            later = Later(source)
            later.start()
            later.wait_for(chance.randrange(100))
            cut_at_once(source, sink)
            # Not once more: what is not there now will not come while the link is cut.
            for name in names:
                found = reader.get_item(TableName="Orders", Key=key_of(name))
                assert found.get("Item", {}).get("v") == {"S": name}, (seed, number, name, report)
            later.finish()
            heal(orders, source, sink)
    drain(orders, source, sink, "--wait", "60s")
    load.settle()
    done = orders.cli("drain", "--from", source.name, "--to", sink.name, "--table", "Orders")
    assert done.returncode == 0 and f"yes: {sink.name} has all" in done.stderr, done
    assert orders.cli("drain", "--from", source.name, "--to", source.name).returncode == 2


def test_a_partition_says_what_is_missing(orders):
    source, sink, other = orders
    put(source, "before", "1")
    drain(orders, source, sink, "--wait", "30s")
    cut(orders, source, sink)
    for i in range(25):
        put(source, f"cut-{i}", "x" * 100)
    first = drain(orders, source, sink, "--wait", "1s", code=1)
    assert first["known"] and first["pending_records"] == 25, first
    assert first["pending_bytes"] > 2500 and first["oldest_pending_ms"] > 0, first
    (table,) = first["tables"]
    assert f"writes of {source.name} are on their way" in table["reason"], table
    second = drain(orders, source, sink, "--wait", "1s", code=1)
    assert second["oldest_pending_ms"] > first["oldest_pending_ms"], "a stalled link grows older"
    drain(orders, source, other, "--wait", "30s")
    # The cut link's watermark stands still, the others go on.
    stuck = watermark(sink, source)
    beside = watermark(other, source)
    wait_until(lambda: watermark(other, source) > beside, 30, "the other region's watermark moves")
    assert watermark(sink, source) == stuck
    done = orders.cli("drain", "--from", source.name, "--to", sink.name, "--wait", "0s")
    assert done.returncode == 1 and "25 records" in done.stderr, done
    heal(orders, source, sink)
    drain(orders, source, sink, "--wait", "30s")
    assert value_at(sink, "cut-24") == "x" * 100


def test_what_only_the_source_has_of_a_third_region(orders):
    source, sink, third = orders
    drain(orders, source, sink, "--wait", "30s")
    cut(orders, third, sink)
    put(third, "of-the-third", "1")
    wait_until(lambda: value_at(source, "of-the-third") == "1", 30, "it reaches the source")
    report = drain(orders, source, sink, "--wait", "2s", code=1)
    (table,) = report["tables"]
    assert table["behind_on"] == [third.name], report
    # Neither does one that has nothing of it yet claim to know.
    assert drain(orders, third, sink, "--wait", "0s", code=1)["pending_records"] == 1
    heal(orders, third, sink)
    drain(orders, source, sink, "--wait", "30s")
    assert value_at(sink, "of-the-third") == "1"


def test_quarantine_and_regions_that_do_not_answer(tmp_path):
    with Cluster(tmp_path, count=2) as pair:
        pair.create_global_table("Orders")
        here, there = pair
        put(here, "calm", "1")
        drain(pair, here, there, "--wait", "30s")
        make_poison(here, ["poison-a", "poison-b"])
        wait_until(lambda: "good" in contents(there.address("table"), "Orders"), 30,
                   "the rest arrives")
        report = drain(pair, here, there, "--wait", "2s", code=1)
        assert report["parked_records"] == 2, report
        assert "2 in quarantine" in report["tables"][0]["reason"], report
        for name in ("poison-a", "poison-b"):
            put(there, name, "newer")
        drain(pair, here, there, "--wait", "30s")

        there.node.kill()
        put(here, "alone", "1")
        report = drain(pair, here, there, "--wait", "1s", code=1)
        assert not report["known"] and report["pending_records"] == 1, report
        # The one that has the answer.
        assert pair.cli("drain", "--from", there.name, "--to", here.name).returncode == 3
        there.node.start()
        drain(pair, here, there, "--wait", "60s")
        assert value_at(there, "alone") == "1"


def test_a_source_that_restarts_is_asked_again(orders):
    source, sink, _ = orders
    cut(orders, source, sink)
    put(source, "before", "1")
    source.node.kill()
    source.node.start()
    put(source, "after", "1")
    heal(orders, source, sink)
    drain(orders, source, sink, "--wait", "60s")
    assert value_at(sink, "before") == "1" and value_at(sink, "after") == "1"


def test_a_replica_that_was_added_later(cluster):
    """What a copy brought is in no flow's position: the watermarks of the others must do."""
    first, second, added = cluster
    everywhere = cluster.regions
    cluster.regions = [first, second]
    cluster.create_global_table("Orders")
    cluster.regions = everywhere
    for i in range(50):
        put(first, f"before-{i}", "1")
    done = cluster.cli("replica", "add", "Orders", added.name, timeout=120)
    assert done.returncode == 0, done.stderr
    for source, sink in ((first, added), (added, first), (added, second), (second, added)):
        drain(cluster, source, sink, "--wait", "30s")
    put(second, "last", "1")
    drain(cluster, second, added, "--wait", "30s")
    assert value_at(added, "last") == "1" and value_at(added, "before-49") == "1"


def freeze(region, table):
    """As though the stopped node had noticed that it lost what it had written of a table."""
    database = sqlite3.connect(region.data_dir / "store.db")
    with database:
        (number,) = database.execute("SELECT number FROM tables WHERE name = ?", (table,)).fetchone()
        changed = database.execute(
            "INSERT INTO repairs(number, region, reason, since_ms, pinned, frozen)"
            " SELECT number, region, 3, 0, 0, 1 FROM replicas WHERE number = ? AND region != ?",
            (number, region.name)).rowcount
        assert changed == 2
    database.close()


def test_a_table_that_has_lost_writes_is_named(cluster):
    """It takes no barrier, so that nobody can tell what is missing of it; the others can be proven."""
    source, sink, other = cluster
    cluster.create_global_table("Orders")
    cluster.create_global_table("Calm")
    put(source, "before", "1")
    drain(cluster, source, sink, "--wait", "30s")
    # It can be told by nobody, so it stays as it is.
    for region in (source, sink, other):
        region.node.stop()
    freeze(source, "Orders")
    source.node.start()
    for region in (sink, other):
        cut(cluster, source, region)
    sink.node.start()
    report = drain(cluster, source, sink, "--wait", "3s", code=1)
    assert report["known"]
    tables = {table["name"]: table for table in report["tables"]}
    assert tables["Calm"]["drained"], report
    assert not tables["Orders"]["drained"] and tables["Orders"]["left_out"] == "frozen", report
    assert f"{source.name} has lost writes of its own" in tables["Orders"]["reason"], report
    drain(cluster, source, sink, "--table", "Calm")
    done = cluster.cli("drain", "--from", source.name, "--to", sink.name, "--table", "Orders",
                       "--wait", "0s")
    assert done.returncode == 1 and "cannot be proven of Orders" in done.stderr, done
    # Once it has been told it can be proven, within the time that the question may take.
    other.node.start()
    for region in (sink, other):
        heal(cluster, source, region)
    drain(cluster, source, sink, "--wait", "60s")


def test_of_no_table_nobody_says_yes(shared):
    source, sink, _ = shared
    question = {"region": source.name, "start": "0" * 16, "time": "0" * 16, "released": [],
                "tables": []}
    request = urllib.request.Request(sink.admin_url("/v1/drained"), method="POST",
                                     data=json.dumps(question).encode())
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert json.load(answer)["drained"] is False


@pytest.mark.parametrize("question", [
    b"", b"[]", b"{}", b'{"region": "x", "start": "00", "time": 1, "tables": {}}',
    b'{"region": "us-east-1", "start": "0000000000000001", "time": "0000000000000001",'
    b' "released": [], "tables": [{"id": "zz"}]}',
    b'{"region": "us-east-1", "start": "0000000000000001", "time": "0000000000000001",'
    b' "released": [], "tables": [{"id": "00000000000000000000000000000001", "ends": [],'
    b' "flows": [], "watermarks": {}}]}',
])
def test_questions_that_are_none(shared, question):
    region = shared[0]
    request = urllib.request.Request(region.admin_url("/v1/drained"), data=question, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 400 and b'"error"' in refused.value.read()
    assert region.node.running()
