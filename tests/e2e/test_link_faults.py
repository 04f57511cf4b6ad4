"""Links that are cut, paused and slowed on purpose, by the command line, under load."""

import pytest

from cluster import http_get, wait_until
from load import Load, contents, key_of


def faults(cluster, source, sink):
    """What `meridian link list` says of one link."""
    report = cluster.cli_json("link", "list")
    found = [row for row in report["links"]
             if row["from"] == source.name and row["to"] == sink.name]
    assert len(found) == 1, report
    return found[0]["faults"]


def put(region, name):
    region.client().put_item(TableName="Orders", Item={**key_of(name), "v": {"S": name}})


def put_all(region, names, value):
    """With one client: to make one takes as long as a write on a busy machine."""
    client = region.client()
    for name in names:
        client.put_item(TableName="Orders", Item={**key_of(name), "v": {"S": value}})


def arrived(region, name):
    return name in contents(region.address("table"), "Orders")


def break_link(cluster, verb, source, sink, *arguments):
    report = cluster.cli_json("link", verb, "--from", source.name, "--to", sink.name, *arguments)
    # A link's faults are those of both daemons of its source.
    assert [row["done"] for row in report["links"]] == [True, True], report


def test_cut_in_one_direction_under_load_heals_itself(orders):
    source, sink, other = orders
    with Load(orders, [source, sink], pause=0.005) as load:
        load.wait_progress()
        break_link(orders, "cut", source, sink, "--for", "8s")
        row = orders.wait_ageing("Orders", source, sink)
        assert row["state"] == "cut" and "left" in row["reason"], row
        assert row["pending_records"] > 0, row
        (fault,) = faults(orders, source, sink)
        assert fault["kind"] == "cut" and 0 < fault["left_ms"] < 8000
        assert sorted(fault["on"]) == ["node", "replicator"]
        # The heartbeat notices the silence, although nothing was closed.
        wait_until(lambda: "link_down" in source.replicator.log(), 8, "the silence is noticed")
        # What the other side sends, and what goes elsewhere, is not concerned.
        put(sink, "the-other-way")
        put(source, "elsewhere")
        wait_until(lambda: arrived(source, "the-other-way"), 5, "the other direction goes on")
        wait_until(lambda: arrived(other, "elsewhere"), 5, "the other link goes on")
        status = orders.cli("status")
        assert f"link {source.name} -> {sink.name}: cut on purpose" in status.stdout
        _, metrics = http_get(source.replicator_url("/metrics"))
        assert f'meridian_link_fault{{peer="{sink.name}",kind="cut"}} 1' in metrics
        # Nobody heals it.
        wait_until(lambda: not faults(orders, source, sink), 10, "it ends by itself")
        wait_until(lambda: orders.link("Orders", source, sink)["state"] in ("waiting", "running"),
                   15, "the link comes back")
        load.wait_progress()
    load.settle()
    for process in (source.node, source.replicator):
        assert 'link_fault_began from=us-east-1 to=eu-west-1 fault="cut"' in process.log()
        assert 'reason="its time is over"' in process.log()


def test_paused_link_ships_nothing_and_stays_connected(orders):
    source, sink, _ = orders
    lost = source.replicator.log().count("link_down")
    break_link(orders, "pause", source, sink, "--for", "60s")
    put(source, "later")
    row = orders.wait_ageing("Orders", source, sink)
    assert row["state"] == "paused" and row["pending_records"] == 1, row
    assert not arrived(sink, "later")
    assert source.replicator.log().count("link_down") == lost
    break_link(orders, "heal", source, sink)
    wait_until(lambda: arrived(sink, "later"), 5, "it goes on where it was")


def test_delay_shows_in_the_lag_and_leaves_the_clocks_alone(orders):
    source, sink, _ = orders
    break_link(orders, "delay", source, sink, "--by", "300ms", "--jitter", "50ms", "--for", "60s")
    for number in range(20):
        put(source, f"slow-{number}")
    wait_until(lambda: arrived(sink, "slow-19"), 10, "they arrive")
    row = wait_until(lambda: (lambda row: row["measured"] >= 20 and row)(
        orders.link("Orders", source, sink)), 5, "the lag is known")
    assert row["measured_by"] == "records", row
    assert row["state"] == "delayed" and row["p50_ms"] > 200, row
    # Both ways are slow, so the offset of the clocks is still what it was.
    assert abs(row["clock_offset_ms"]) < 100, row


def test_limited_link_is_slow_but_loses_nothing(orders):
    source, sink, _ = orders
    break_link(orders, "limit", source, sink, "--rate", "20kB/s", "--for", "10m")
    # 50 s of the link, however slowly they are written.
    put_all(source, [f"large-{number}" for number in range(200)], "x" * 5000)
    row = orders.wait_ageing("Orders", source, sink)
    assert row["state"] == "limited" and row["pending_records"] > 0, row
    break_link(orders, "heal", source, sink)
    orders.wait_identical("Orders", 30)


def test_lossy_link_stalls_but_loses_nothing(orders):
    source, sink, _ = orders
    break_link(orders, "lose", source, sink, "--share", "30%", "--for", "10m")
    (fault,) = faults(orders, source, sink)
    assert fault["text"] == "lose 300 of 1000 segments"
    names = [f"lossy-{number}" for number in range(100)]
    put_all(source, names, "x")
    wait_until(lambda: set(names) <= set(contents(sink.address("table"), "Orders")), 60,
               "all have arrived")

    # A segment lost several times in a row is a silence, which ends the connection; the records whose
    # answer was under way then have no lag.  So the lag is not asked of these hundred.
    def stalled():
        put(source, "one-more")
        row = orders.link("Orders", source, sink)
        return row["state"] == "lossy" and (row["max_ms"] or 0) >= 200
    wait_until(stalled, 60, "a record waited for a segment to be sent again")
    break_link(orders, "heal", source, sink)
    orders.wait_identical("Orders", 30)


def test_faults_do_not_outlive_their_daemon(orders):
    source, sink, _ = orders
    break_link(orders, "cut", source, sink, "--for", "1h")
    source.replicator.stop()
    source.replicator.start()
    put(source, "after")
    wait_until(lambda: arrived(sink, "after"), 10, "the replicator knows nothing of the cut")
    assert [fault["on"] for fault in faults(orders, source, sink)] == [["node"]]


@pytest.mark.parametrize("arguments, code", [
    (["cut", "--from", "us-east-1", "--to", "eu-west-1"], 2),  # how long?
    (["cut", "--from", "us-east-1", "--to", "eu-west-1", "--for", "25h"], 4),
    (["cut", "--from", "us-east-1", "--to", "us-east-1", "--for", "1s"], 2),
    (["cut", "--from", "us-east-1", "--to", "mars-1", "--for", "1s"], 2),
    (["delay", "--from", "us-east-1", "--to", "eu-west-1", "--for", "1s"], 2),
    (["delay", "--from", "us-east-1", "--to", "eu-west-1", "--by", "80", "--jitter", "81",
      "--for", "1s"], 4),
    (["lose", "--from", "us-east-1", "--to", "eu-west-1", "--share", "2", "--for", "1s"], 2),
    (["lose", "--from", "us-east-1", "--to", "eu-west-1", "--share", "51%", "--for", "1s"], 4),
    (["limit", "--from", "us-east-1", "--to", "eu-west-1", "--rate", "fast", "--for", "1s"], 2),
])
def test_refused_faults(shared, arguments, code):
    done = shared.cli("link", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert not any(row["faults"] for row in shared.cli_json("link", "list")["links"])
