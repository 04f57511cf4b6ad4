"""`meridian bench replicate` on real regions: its counts are those of the tables, its lag is the links',
and a server that stalls shows where it has to.

No test says how long anything took: figures are compared with each other.
"""

import csv
import json
import signal
import subprocess
import threading
import time

import pytest

from cluster import program, wait_until
from fastclient import Client

TABLE = "meridian-bench"


def items_of(region, run, table=TABLE):
    client = Client(region.address("table"), timeout=30)
    try:
        return [i for i in client.scan(table) if run in json.dumps(i)]
    finally:
        client.close()


def bench(cluster, *arguments, codes=(0,)):
    return cluster.cli_json("bench", "replicate", *arguments, codes=codes, timeout=120)


def wait_same(cluster, run, table=TABLE):
    """Until every region holds the same of a run; returns that."""
    def same():
        found = [sorted(map(json.dumps, items_of(region, run, table))) for region in cluster]
        return found if all(one == found[0] for one in found) else None
    return [json.loads(item) for item in wait_until(same, 30, "all regions hold the same")[0]]


def check_sums(report):
    writes = report["writes"]
    assert writes["requested"] == (writes["acknowledged"] + writes["failed"] + writes["unsent"]
                                   + writes["unanswered"])
    assert sum(writes["by_kind"].values()) == writes["acknowledged"]
    assert sum(writes["statuses"].values()) == writes["acknowledged"] + writes["failed"]
    assert sum(writes["errors"].values()) == writes["failed"]
    for sink in report["sinks"]:
        assert sink["seen"] + sink["unseen"] == report["samples"] == sink["lag_ms"]["count"]
    for latency in [*report["latency_ms"].values()] + [sink["lag_ms"] for sink in report["sinks"]]:
        if latency:
            assert sum(count for _, count in latency["histogram"]) == latency["count"]


def test_every_acknowledged_put_is_in_every_region(shared):
    report = bench(shared, "--rate", "200", "--duration", "3s", "--distribution", "sequential",
                   "--keys", "1000000", "--item-size", "300")
    check_sums(report)
    assert report["writes"]["requested"] == report["writes"]["acknowledged"] == 600
    assert report["loop"] == "open" and report["samples"] == 60
    assert {sink["region"] for sink in report["sinks"]} == {r.name for r in shared.regions[1:]}
    items = wait_same(shared, report["run"])
    assert len(items) == 600
    sizes = {sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())
             for item in items}
    assert sizes == {300}


def test_updates_and_deletes_are_what_they_say(shared):
    updates = bench(shared, "--rate", "200", "--duration", "2s", "--keys", "20", "--mix", "update=100")
    check_sums(updates)
    items = wait_same(shared, updates["run"])
    counted = sum(int(item["bench_updates"]["N"]) for item in items if "bench_updates" in item)
    assert counted == updates["writes"]["by_kind"]["update"]
    samples = [item for item in items if "bench_updates" not in item]
    assert len(samples) == updates["samples"] == updates["writes"]["by_kind"]["put"]

    mixed = bench(shared, "--rate", "200", "--duration", "2s", "--keys", "50", "--distribution", "zipf",
                  "--mix", "put=50,update=20,delete=30", "--connections", "4")
    check_sums(mixed)
    assert all(mixed["writes"]["by_kind"].values()), mixed["writes"]
    assert mixed["samples"] <= len(wait_same(shared, mixed["run"])) <= mixed["samples"] + 50


def test_a_closed_loop_on_a_table_that_is_there(shared):
    report = bench(shared, "--closed-loop", "--connections", "3", "--duration", "1s", "--table", "Orders",
                   "--from", shared[1].name, "--to", shared[2].name, "--distribution", "sequential",
                   "--keys", "1000000")
    check_sums(report)
    assert report["latency_ms"]["corrected"] is None and report["loop"] == "closed"
    assert report["samples"] > 0 and [sink["region"] for sink in report["sinks"]] == [shared[2].name]
    assert len(wait_same(shared, report["run"], "Orders")) == report["writes"]["acknowledged"]


def test_outputs(shared, tmp_path):
    arguments = ["bench", "replicate", "--rate", "100", "--duration", "1s"]
    done = shared.cli(*arguments, "--hdr", str(tmp_path / "x.hgrm"))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    for word in ("requested", "acknowledged", "status codes", "200: 100", "since it was due",
                 "since it was sent", "P99.9", f"LAG TO {shared[1].name.upper()}"):
        assert word in done.stdout, done.stdout
    files = {path.name for path in tmp_path.glob("*.hgrm")}
    assert {"x-write-corrected.hgrm", "x-write-uncorrected.hgrm",
            f"x-lag-{shared[0].name}-{shared[1].name}.hgrm"} <= files and len(files) == 6
    assert "Total count    =          100" in (tmp_path / "x-write-corrected.hgrm").read_text()
    done = shared.cli(*arguments, "-o", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["latency"] for row in rows] == ["write_corrected", "write_uncorrected",
                                                *["end_to_end", "lag"] * 2]
    assert all(float(row["p99_ms"]) <= float(row["max_ms"]) for row in rows)


def test_the_lag_rises_by_the_delay_of_the_link(shared):
    source, slow, other = shared
    arguments = ("--rate", "100", "--duration", "3s")
    before = bench(shared, *arguments)
    delay_ms = 400
    faults = ("--from", source.name, "--to", slow.name)
    shared.cli_json("link", "delay", *faults, "--by", f"{delay_ms}ms", "--for", "10m")
    try:
        during = bench(shared, *arguments)
    finally:
        shared.cli_json("link", "heal", *faults)

    def lag(report, region, quantile="p50"):
        return next(s for s in report["sinks"] if s["region"] == region.name)["lag_ms"][quantile]
    risen = lag(during, slow) - lag(before, slow)
    # A fair share of it, whatever the machine adds; and it is that link's alone.
    assert risen > 0.8 * delay_ms, (lag(before, slow), lag(during, slow))
    assert lag(during, slow) - lag(during, other) > 0.5 * delay_ms
    # What the source answers does not wait for a link.
    assert during["latency_ms"]["corrected"]["p50"] < lag(during, slow) / 2


def test_a_stall_shows_in_the_corrected_latency_alone(cluster):
    # (The first run makes the table.)
    bench(cluster, "--rate", "100", "--duration", "500ms")
    client = Client(cluster[0].address("table"), timeout=30)
    written = len(client.scan(TABLE))
    stall = []

    def stop_and_go():
        wait_until(lambda: len(client.scan(TABLE)) > written + 50, 60, "it writes")
        began = time.monotonic()
        cluster[0].node.pause()
        time.sleep(2)
        cluster[0].node.resume()
        stall.append((time.monotonic() - began) * 1000)
    stopper = threading.Thread(target=stop_and_go)
    stopper.start()
    report = bench(cluster, "--rate", "100", "--duration", "8s", "--connections", "2", "--keys", "1000000",
                   "--distribution", "sequential")
    stopper.join()
    client.close()
    check_sums(report)
    assert report["writes"]["acknowledged"] == 800, "none was left out"
    corrected, uncorrected = report["latency_ms"]["corrected"], report["latency_ms"]["uncorrected"]
    # Two of 800 were under way; a quarter was due meanwhile.
    assert corrected["p90"] > stall[0] / 4, (corrected, stall)
    assert uncorrected["p95"] < corrected["p90"] / 2, (uncorrected, corrected)
    assert uncorrected["p99"] < corrected["p95"] / 2, (uncorrected, corrected)
    assert uncorrected["max"] > stall[0] / 2, "those under way did wait"


def test_samples_that_do_not_arrive_are_said(cluster):
    bench(cluster, "--rate", "100", "--duration", "500ms")
    faults = ("--from", cluster[0].name, "--to", cluster[1].name)
    cluster.cli_json("link", "pause", *faults, "--for", "10m")
    report = bench(cluster, "--rate", "100", "--duration", "1s", "--settle", "1s", codes=(1,))
    check_sums(report)
    stuck, fine = report["sinks"]
    assert stuck["unseen"] == report["samples"] and stuck["seen"] == 0
    # They count with the time that they were waited for.
    assert stuck["lag_ms"]["p50"] > fine["lag_ms"]["p50"]
    assert fine["unseen"] == 0
    cluster.cli_json("link", "heal", *faults)
    assert report["writes"]["acknowledged"] == len(wait_same(cluster, report["run"]))


def start(cluster, *arguments):
    return subprocess.Popen(
        [program("meridian"), "--deployment", str(cluster.deployment), "bench", "replicate", "-o", "json",
         *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_prints_the_summary_so_far(shared):
    started = start(shared, "--rate", "100", "--duration", "10m")
    try:
        # The first line of progress says that it writes.
        wait_until(lambda: "writes acknowledged" in started.stderr.readline(), 60, "it writes")
        started.send_signal(signal.SIGINT)
        out, _ = started.communicate(timeout=60)
    finally:
        started.kill()
    report = json.loads(out)
    assert started.returncode == 0 and report["interrupted"], report
    check_sums(report)
    assert report["writes"]["acknowledged"] > 0
    assert len(wait_same(shared, report["run"])) > 0


def test_the_second_ctrl_c_does_not_wait(cluster):
    bench(cluster, "--rate", "100", "--duration", "500ms")
    started = start(cluster, "--rate", "100", "--duration", "10m", "--connections", "4", "--timeout", "30s")
    try:
        wait_until(lambda: "writes acknowledged" in started.stderr.readline(), 60, "it writes")
        cluster[0].node.pause()
        time.sleep(1)  # a hundred writes are due, and four of them sent
        started.send_signal(signal.SIGINT)
        wait_until(lambda: "Ctrl-C again" in started.stderr.readline(), 60, "it waits")
        started.send_signal(signal.SIGINT)
        report = json.loads(started.stdout.readline())  # before those under way are answered
        assert started.poll() is None
        assert report["interrupted"] and report["writes"]["unanswered"] > 0
        check_sums(report)
        cluster[0].node.resume()
        assert started.wait(60) == 1
    finally:
        started.kill()
        started.communicate()


def test_a_source_that_is_gone(cluster):
    bench(cluster, "--rate", "100", "--duration", "500ms")
    started = start(cluster, "--rate", "100", "--duration", "8s")
    try:
        wait_until(lambda: "writes acknowledged" in started.stderr.readline(), 60, "it writes")
        cluster[0].node.kill()
        out, _ = started.communicate(timeout=60)
    finally:
        started.kill()
    report = json.loads(out)
    check_sums(report)
    assert started.returncode == 1 and report["writes"]["acknowledged"] > 0
    assert report["writes"]["errors"], report["writes"]
    assert report["writes"]["statuses"]["none"] == report["writes"]["failed"] > 0
    assert cluster.cli("bench", "replicate", "--duration", "1s").returncode == 3


@pytest.mark.parametrize("arguments", [
    ["--from", "mars-1"], ["--to", "mars-1"], ["--to", "us-east-1"], ["--table", "NoSuch"],
    ["--mix", "put=50"], ["--rate", "0"], ["--rate", "10", "--closed-loop"], ["--duration", "0s"],
    ["--distribution", "normal"], ["--connections", "0"], ["--item-size", "500000"], ["-o", "xml"]])
def test_wrong_usage(shared, arguments):
    done = shared.cli("bench", "replicate", *arguments)
    assert done.returncode == 2 and done.stdout == "" and done.stderr, done
