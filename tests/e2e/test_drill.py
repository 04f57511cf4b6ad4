"""A failover drill on a local deployment: it breaks, measures, heals and reports."""

import json
import os
import pathlib
import subprocess

import pytest
from cluster import ROOT, program


@pytest.fixture
def local(tmp_path):
    """A deployment of deploy/up, with ports of its own."""
    environment = {**os.environ, "MERIDIAN_VAR": str(tmp_path / "var"), "MERIDIAN_PORT_BASE": "13000"}
    up = subprocess.run(["deploy/up", "--detach", "--no-build", "--no-table"], cwd=ROOT, env=environment,
                        capture_output=True, text=True)
    assert up.returncode == 0, up.stderr
    yield tmp_path
    down = subprocess.run(["deploy/down", "--wipe"], cwd=ROOT, env=environment,
                          capture_output=True, text=True)
    assert down.returncode == 0, down.stderr


def drill(folder, *arguments):
    return subprocess.run(
        [program("meridian"), "--deployment", str(folder / "var/deployment.yaml"), "drill", *arguments],
        capture_output=True, text=True, timeout=180, cwd=folder)


def test_a_region_is_lost_and_nothing_with_it(local):
    out = local / "report"
    done = drill(local, "run", "region-loss", "--baseline", "2s", "--fault", "5s", "--rate", "50",
                 "--yes", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((out / "report.json").read_text())
    assert report["verdict"] == "PASS" and report["identical"] is True
    assert report["writes"]["lost"] == 0 and report["writes"]["acknowledged"] > 100
    assert report["rto"]["total_s"] > 0
    assert report["rpo"]["writes"] == report["rpo"]["then_arrived_late"]
    phases = [event["phase"] for event in report["timeline"]]
    assert {"INJECT", "DETECT", "EVACUATE", "HEAL", "VERIFY", "RESTORED"} <= set(phases)
    for name in ("report.md", "report.html", "timeline.jsonl", "lag.csv", "latency-eu-west-1.hgrm"):
        assert (out / name).stat().st_size > 0
    page = (out / "report.html").read_text()
    assert "class='window'" in page and "src=" not in page
    again = drill(local, "report", str(out))
    assert again.returncode == 0 and "PASS" in again.stdout


def test_a_drill_needs_a_yes_and_a_healthy_deployment(local):
    assert drill(local, "run", "region-loss").returncode == 2
    assert "us-east-1" in drill(local, "plan", "partition").stdout
    pid = int((local / "var/eu-west-1/replicator.pid").read_text())
    os.kill(pid, 9)
    refused = drill(local, "run", "partition", "--yes")
    assert refused.returncode == 3, refused.stderr
    assert "eu-west-1" in refused.stderr
    assert not pathlib.Path(local / "drills").exists()
