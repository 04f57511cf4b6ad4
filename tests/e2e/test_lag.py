"""Lag is told truly: a link that stands still shows growing lag, and never none."""

import csv
import re
import struct
import time
import xml.etree.ElementTree

from cluster import http_get, wait_until
from load import key_of


def link(cluster, source, sink):
    return cluster.link("Orders", source, sink)


def put(region, count, start=0):
    table = region.client()
    for number in range(start, start + count):
        table.put_item(TableName="Orders", Item={**key_of(f"{region.name}-{number}")})


def pending(row):
    return row["pending_records"]


def oldest_ms(row):
    return row["oldest_pending_ms"]


def test_idle_links_have_nothing_pending(orders):
    put(orders[0], 20)
    wait_until(lambda: pending(link(orders, orders[0], orders[1])) == 0, 15, "nothing pending")
    assert not oldest_ms(link(orders, orders[0], orders[1]))


def growing_lag(orders, source, sink):
    first = wait_until(lambda: (lambda row: pending(row) and row)(link(orders, source, sink)), 10,
                       "records are pending")
    time.sleep(1.5)
    put(source, 5, start=100)
    # Figures may be a moment old, but they must not stand still.
    second = wait_until(lambda: (lambda row: pending(row) >= pending(first) + 5 and row)(
        link(orders, source, sink)), 5, "new records count as pending")
    assert oldest_ms(second) >= oldest_ms(first) + 1000
    return second


def test_stopped_replicator(orders):
    # The replicator cannot tell of its own standstill: its node has to.
    orders[0].replicator.pause()
    try:
        put(orders[0], 10)
        for sink in (orders[1], orders[2]):
            growing_lag(orders, orders[0], sink)
        # The links that do not stand still are not blamed.
        put(orders[1], 5)
        wait_until(lambda: pending(link(orders, orders[1], orders[2])) == 0, 15, "others go on")
    finally:
        orders[0].replicator.resume()
    for sink in (orders[1], orders[2]):
        wait_until(lambda: pending(link(orders, orders[0], sink)) == 0, 20, "caught up")


def test_stopped_sink(orders):
    put(orders[0], 5)
    wait_until(lambda: pending(link(orders, orders[0], orders[2])) == 0, 15, "nothing pending")
    orders[2].node.kill()
    put(orders[0], 10, start=10)
    growing_lag(orders, orders[0], orders[2])
    # One dead peer does not slow another.
    wait_until(lambda: pending(link(orders, orders[0], orders[1])) == 0, 15, "the other sink goes on")
    orders[2].node.start()
    wait_until(lambda: pending(link(orders, orders[0], orders[2])) == 0, 30, "caught up")


def wait_probed(orders, source, sink):
    return wait_until(lambda: (lambda row: row["measured_by"] and row)(link(orders, source, sink)),
                      15, "the way is measured though nobody writes")


def test_an_idle_link_is_measured(orders):
    for source, sink in ((orders[0], orders[1]), (orders[2], orders[0])):
        row = wait_probed(orders, source, sink)
        assert row["measured_by"] == "probes" and row["p50_ms"] is not None, row
        assert row["state"] in ("waiting", "running") and row["pending_records"] == 0, row
    assert "measured by probes" in orders.cli("lag").stdout
    put(orders[0], 5)
    wait_until(lambda: link(orders, orders[0], orders[1])["measured_by"] == "records", 15,
               "records are what counts")
    row = wait_until(lambda: (lambda row: row["measured"] >= 5 and row)(
        link(orders, orders[0], orders[1])), 15, "all are counted")
    assert row["measured"] == 5 and row["applied_us"] > 0, row
    longer = orders.cli_json("lag", "--window", "5m", "--from", orders[0].name, "--to", orders[1].name)
    assert longer["sums"][0]["measured"] >= 5, longer


def test_the_watermark_of_a_link(orders):
    source, sink, _ = orders

    def watermark(one, other):
        return link(orders, one, other)["watermark_us"] or 0
    put(source, 1)
    written_us = int(time.time() * 1e6)
    wait_until(lambda: watermark(source, sink) > written_us, 15, "the write is covered, and what follows")
    # That of a cut link stands still, for programs and for people; that of the others goes on.
    assert orders.cli("link", "cut", "--from", source.name, "--to", sink.name, "--for",
                      "60s").returncode == 0
    cut_us = int(time.time() * 1e6)
    wait_until(lambda: watermark(sink, source) > cut_us, 15, "the other direction goes on")
    assert written_us < watermark(source, sink) < cut_us
    assert "WATERMARK" in orders.cli("lag").stdout
    said = {(row["source"], row["sink"]): row for row in orders.cli_json("status")["links"]}
    assert said[source.name, sink.name]["state"] == "cut"
    assert written_us < said[source.name, sink.name]["watermark_us"] < cut_us
    # A sink that does not answer cannot say what it has; what has come from there is still known.
    sink.node.kill()
    assert link(orders, source, sink)["watermark_us"] is None
    assert watermark(sink, source) > cut_us
    shown = orders.cli("status").stdout
    assert re.search(f"link {sink.name} -> {source.name}: .*; watermark 2", shown), shown


def test_an_idle_link_notices_that_its_sink_is_gone(orders):
    wait_probed(orders, orders[0], orders[2])
    orders[2].node.kill()
    row = wait_until(lambda: (lambda row: row["state"] == "backing_off" and row)(
        link(orders, orders[0], orders[2])), 15, "noticed without a write")
    assert row["reason"], row
    orders[2].node.start()
    wait_until(lambda: link(orders, orders[0], orders[2])["state"] == "waiting", 30, "and is back")


def test_the_trend_of_a_stalled_link(orders):
    assert orders.cli("link", "cut", "--from", orders[0].name, "--to", orders[1].name, "--for",
                      "60s").returncode == 0
    put(orders[0], 5)
    row = wait_until(lambda: (lambda row: row["trend"] == "growing" and row)(
        link(orders, orders[0], orders[1])), 30, "its age is seen to grow")
    assert row["state"] == "cut" and row["pending_records"] == 5 and row["pending_bytes"] > 0, row
    sums = {(row["source"], row["sink"]): row for row in orders.cli_json("lag", "--sums")["sums"]}
    assert sums[orders[0].name, orders[1].name]["state"] == "cut"
    assert orders.cli("link", "heal", "--from", orders[0].name, "--to", orders[1].name).returncode == 0
    wait_until(lambda: link(orders, orders[0], orders[1])["trend"] == "shrinking", 30, "and to shrink")


def test_percentiles_as_files(orders, tmp_path):
    put(orders[0], 50)
    wait_until(lambda: link(orders, orders[0], orders[1])["measured"] == 50, 15, "measured")
    one = tmp_path / "one.hgrm"
    plot = tmp_path / "lag.svg"
    done = orders.cli("lag", "--from", orders[0].name, "--to", orders[1].name, "--hdr", str(one),
                      "--plot", str(plot))
    assert done.returncode == 0, done.stderr
    lines = one.read_text().splitlines()
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    rows = [[float(field) for field in line.split()] for line in lines[2:] if line[0] != "#"]
    assert rows[-1][1:] == [1.0, 50] and rows == sorted(rows)
    svg = xml.etree.ElementTree.parse(plot).getroot()
    assert svg.tag.endswith("svg")
    assert f"Orders {orders[0].name} -> {orders[1].name}: p50" in "".join(svg.itertext())
    # The same as PNG: its signature, then the first chunk with width and height.
    picture = tmp_path / "lag.PNG"
    assert orders.cli("lag", "--from", orders[0].name, "--plot", str(picture)).returncode == 0
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR"
    width, height = struct.unpack(">II", head[16:])
    assert width > height > 0
    for wrong in ("lag.pdf", "lag", "png"):
        refused = orders.cli("lag", "--plot", str(tmp_path / wrong))
        assert refused.returncode == 2 and refused.stdout == "", refused
        assert "FILE.svg or FILE.png" in refused.stderr and not (tmp_path / wrong).exists()
    # Of several links, a file for each.
    assert orders.cli("lag", "--from", orders[0].name, "--hdr", str(tmp_path / "all.hgrm")).returncode == 0
    assert len(list(tmp_path.glob("all-Orders-*.hgrm"))) == 2
    assert orders.cli("lag", "--watch", "--hdr", str(one)).returncode == 2
    assert orders.cli("lag", "--window", "1h").returncode == 2


def test_lag_outputs(orders):
    put(orders[0], 3)
    table = orders.cli("lag")
    assert table.returncode == 0 and "\x1b" not in table.stdout  # no control codes into a pipe
    assert orders[0].name in table.stdout and orders[1].name in table.stdout
    done = orders.cli("lag", "-o", "csv")
    assert done.returncode == 0
    rows = list(csv.reader(done.stdout.splitlines()))
    assert len(rows) == 1 + 6 and {len(r) for r in rows} == {len(rows[0])}
    assert orders.cli("lag", "-o", "xml").returncode == 2


def test_status(orders):
    done = orders.cli("status")
    assert done.returncode == 0, done.stdout + done.stderr
    for region in orders:
        assert region.name in done.stdout
    report = orders.cli_json("status")
    assert {r["region"] for r in report["regions"]} == {r.name for r in orders}
    orders[1].node.kill()
    done = orders.cli("status")
    assert orders[1].name in done.stdout and done.returncode == 1  # not everything is ready


SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*\})? '
                    r'([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|Inf|NaN))( \d+)?$')


def parse_prometheus(text):
    """{(name, labels): value}; fails on anything that is not the text format."""
    types, samples = {}, {}
    for line in text.splitlines():
        if not line or line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram", "summary", "untyped"), line
            assert name not in types, f"{name} is declared twice"
            types[name] = kind
            continue
        match = SAMPLE.match(line)
        assert match, f"not a sample: {line!r}"
        name, labels, value = match.group(1), match.group(2) or "", float(match.group(3))
        base = re.sub(r"_(bucket|sum|count|total)$", "", name)
        assert name in types or base in types, f"{name} has no type"
        assert (name, labels) not in samples, f"{name}{labels} comes twice"
        samples[name, labels] = value
    return types, samples


def test_metrics_are_prometheus_text(orders):
    put(orders[0], 10)
    orders.wait_identical("Orders", 30)
    for region in orders:
        for url in (region.admin_url("/metrics"), region.replicator_url("/metrics")):
            status, text = http_get(url)
            assert status == 200
            types, samples = parse_prometheus(text)
            assert types and samples
            # Item keys in labels would make one series per item.
            assert "us-east-1-3" not in text
            for name, kind in types.items():
                if kind == "counter":
                    assert name.endswith("_total") or (name + "_total") in {n for n, _ in samples}
                if kind == "histogram":
                    check_histogram(name, samples)


def test_one_data_sync_per_commit(orders):
    # On the real daemon: each group of writes, clients' and replicated, is one sync of the log.
    put(orders[0], 200)
    orders.wait_identical("Orders", 30)
    for region in orders:
        _, samples = parse_prometheus(http_get(region.admin_url("/metrics"))[1])
        commits = samples["meridian_store_commits_total", ""]
        assert commits > 0
        assert samples["meridian_store_syncs_total", '{reason="commit"}'] == commits


def check_histogram(name, samples):
    """Buckets grow, and the last one is the count."""
    series = {}
    for (sample, labels), value in samples.items():
        if sample == name + "_bucket":
            bound = re.search(r'[{,]le="([^"]*)"', labels).group(1)
            rest = re.sub(r'(?<=[{,])le="[^"]*",?', "", labels).replace(",}", "}")
            series.setdefault(rest, []).append((float(bound.replace("+Inf", "inf")), value))
    for rest, buckets in series.items():
        buckets.sort()
        values = [v for _, v in buckets]
        assert values == sorted(values), f"{name}{rest} shrinks"
        assert buckets[-1][0] == float("inf")
        count = [v for (n, labels), v in samples.items()
                 if n == name + "_count" and (labels or "{}").replace(",}", "}") == (rest or "{}")]
        assert count == [values[-1]], f"{name}{rest}"
