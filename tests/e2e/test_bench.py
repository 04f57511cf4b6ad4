"""The bench runs to its end, says what it promises to, and leaves nothing behind.

How fast anything is, no test says: machines differ, and the same machine within the hour.
"""

import json
import os
import subprocess

import cluster as clusters


def run_bench(tmp_path, *options, ports=""):
    """The JSON of a run whose every part is a fraction of a second long, on ports of that range."""
    figures = tmp_path / "figures.json"
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [clusters.program("bench"), "--round-ms", "200", "--dir", str(work), "--json", str(figures),
         *options], capture_output=True, text=True, timeout=300,
        env={**os.environ, **({"MERIDIAN_TEST_PORTS": ports} if ports else {})})
    assert done.returncode == 0, done.stderr
    assert list(work.iterdir()) == [], "the temporary directory is removed"
    assert "MEASURED" in done.stdout
    return json.loads(figures.read_text())


def test_every_figure_is_there(tmp_path):
    figures = run_bench(tmp_path)
    for name in ("bare_rps", "put_rps", "put_update_rps", "get_rps"):
        assert figures["http"][name] > 0, name
    replication = figures["replication"]
    for name in ("bare_sqlite_rps", "apply_rps", "catch_up_rps"):
        assert replication[name] > 0, name
    for name in ("p50", "p99", "p999"):
        assert replication["lag_ms"][name] >= 0, name
    for section in ("apply", "catch_up"):
        assert set(replication[section]) == {
            f"{variety}_{group}_per_transaction"
            for variety in ("new_keys", "updates") for group in (1, 100)}
        for figure in replication[section].values():
            assert figure["rps"] > 0 and figure["bare_sqlite_rps"] > 0
            assert set(figure["cost"]) == {
                "sink_node", "sink_replicator", "source_replicator", "source_and_feeder"}
    agreement = figures["lag_agreement"]
    assert set(agreement) == {"idle", "steady_load", "idle_delayed"}
    for name, figure in agreement.items():
        assert figure["reported"]["records"] > 0, name
    # Of a delay no probe can be free, whoever measures.
    for who in ("reported", "probed"):
        assert agreement["idle_delayed"][who]["p50"] >= 80, who
    for phase in ("alone", "paced", "free"):
        assert figures["copy"][phase]["put_rps"] > 0, phase
        assert figures["copy"][phase]["put_latency_ms"]["p99"] > 0, phase
    assert figures["copy"]["paced"]["rows_per_s"] > 0
    assert figures["fdatasync_ms"]["before"]["p50"] > 0
    assert figures["settings"]["cores"] > 0


def test_one_section_alone(tmp_path):
    figures = run_bench(tmp_path, "--only", "http")
    assert "replication" not in figures
    assert figures["http"]["variants"]["put new"]["cost"]["server"]["cpu_us_per_op"] >= 0


def test_the_large_runs_in_small(tmp_path):
    # Of so few ports one would surely be drawn twice, if a draw did not know of those before it.
    figures = run_bench(tmp_path, "--only", "join,repair,ledger", ports="28000-28099")
    join = figures["join"]
    assert join["verify"] == {"identical": True, "items": join["items"],
                              "settled": join["verify"]["settled"],
                              "seconds": join["verify"]["seconds"]}
    percents = [percent for _, percent in join["progress"]]
    assert percents == sorted(percents) and percents, "it goes on where it was"
    for when in ("before", "during"):
        assert join[when]["put_latency_ms"]["p99"] > 0, when
    repair = figures["repair"]
    assert repair["rows"] >= repair["changed"] > 0 and repair["bytes"] > 0
    assert repair["verify_different"]["differing"] == repair["changed"]
    for when in ("equal", "mended"):
        assert repair[f"verify_{when}"]["items"] == repair["items"], when
    for kind in ("with", "without"):
        assert figures["ledger"][kind]["apply_rps"] > 0, kind


def test_growth(tmp_path):
    growth = run_bench(tmp_path, "--growth")["growth"]
    assert set(growth["lag_by_tables"]) == {"1", "100"}
    assert set(growth["apply_by_shards"]) == {"1", "4", "16"}
    assert len(growth["apply_by_items"]) == 3
    for figures in growth["apply_by_items"].values():
        assert figures["new_keys"]["rps"] > 0 and figures["updates"]["rps"] > 0


def test_wrong_usage():
    done = subprocess.run([clusters.program("bench"), "--only", "sorcery"], capture_output=True)
    assert done.returncode == 2
