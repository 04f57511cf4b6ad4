"""deploy/docker-compose.yml without an engine: what its profiles say, and what they would run.

tests/compose starts it for real.
"""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from cluster import ROOT, program

FILE = ROOT / "deploy/docker-compose.yml"
DAEMONS = {f"{region}{kind}" for region in ("us-east-1", "eu-west-1", "ap-northeast-1")
           for kind in ("", "-replicator")}


def services():
    return yaml.safe_load(FILE.read_text())["services"]


def defaults():
    """Of deploy/.env."""
    lines = [line for line in (ROOT / "deploy/.env").read_text().splitlines()
             if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def expanded(words, variables):
    return [re.sub(r"\$\{(\w+)\}", lambda found: variables[found.group(1)], word) for word in words]


def composer():
    """Compose 2 or docker-compose 1.29, which need no engine to read a file."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"],
                                                 capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def config(tmp_path, *profiles, **variables):
    command = composer() or pytest.skip("neither docker compose nor docker-compose is here")
    words = [word for profile in profiles for word in ("--profile", profile)]
    done = subprocess.run([*command, "-f", str(FILE), "--project-directory", str(FILE.parent), *words,
                           "config"], capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, "MERIDIAN_VAR": str(tmp_path), **variables})
    assert done.returncode == 0, done.stderr
    assert "variable is not set" not in done.stderr, done.stderr
    return yaml.safe_load(done.stdout)["services"]


def test_every_profile_is_valid_and_adds_its_services_alone(tmp_path):
    by_profile = {}
    for name, service in services().items():
        for profile in service.get("profiles", []):
            by_profile.setdefault(profile, set()).add(name)
    assert set(by_profile) == {"wan", "drill", "bench", "observability"}
    # (1.29 lists the services of all profiles, whichever are chosen.)
    for profile, added in by_profile.items():
        assert DAEMONS | added <= set(config(tmp_path, profile)), profile


def test_the_variables_of_the_bench_reach_its_command(tmp_path):
    chosen = config(tmp_path, "bench", BENCH_RATE="777", BENCH_MIX="put=60,delete=40")["bench"]
    assert "--rate=777" in chosen["command"] and "--mix=put=60,delete=40" in chosen["command"]
    assert f"--duration={defaults()['BENCH_DURATION']}" in chosen["command"]


def test_the_bench_runs_once_beside_whole_regions():
    bench = services()["bench"]
    assert bench["profiles"] == ["bench"] and bench["restart"] == "no"
    assert set(bench["depends_on"]) == DAEMONS
    assert {entry["condition"] for entry in bench["depends_on"].values()} == {"service_healthy"}
    # Without rights, like every container.
    assert bench["read_only"] and bench["cap_drop"] == ["ALL"] and bench["secrets"] == ["admin-token"]


def test_what_the_bench_would_run_runs(shared):
    variables = {**defaults(), "BENCH_DURATION": "1s", "BENCH_OUTPUT": "json"}
    words = expanded(services()["bench"]["command"], variables)
    done = subprocess.run([program(words[0]), "--deployment", str(shared.deployment), *words[1:]],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["source"] == variables["BENCH_FROM"]
    assert report["writes"]["acknowledged"] == int(variables["BENCH_RATE"])
    assert {sink["region"] for sink in report["sinks"]} == {
        region.name for region in shared if region.name != report["source"]}
