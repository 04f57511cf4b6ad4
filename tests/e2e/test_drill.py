"""Failover drills on a local deployment: they break, measure, heal and report; they refuse, end early and
die without harm; and what they report is what a count of the test's own says."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest
import yaml
from cluster import ROOT, http_get, program, wait_until
from machine import SmallDisk
from ports import free_base, free_port

REGION = "us-east-1"
PHASES = ("INJECT", "HEAL", "CATCH-UP", "VERIFY", "RESTORED")


class Local:
    """A deployment of deploy/up, with ports of its own."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.options = options
        self.var = folder / "var"
        self.environment = {**os.environ, "MERIDIAN_VAR": str(self.var),
                            "MERIDIAN_PORT_BASE": str(free_base())}

    def up(self):
        self.run("deploy/up", "--detach", "--no-build", "--no-table", *self.options)

    def down(self):
        self.run("deploy/down")

    def run(self, *argv):
        done = subprocess.run(argv, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def argv(self, *arguments):
        return [program("meridian"), "--deployment", str(self.var / "deployment.yaml"), *arguments]

    def drill(self, *arguments):
        return subprocess.run(self.argv("drill", *arguments), capture_output=True, text=True, timeout=240,
                              cwd=self.folder)

    def start_drill(self, *arguments, **environment):
        return subprocess.Popen(self.argv("drill", *arguments), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, cwd=self.folder,
                                env={**os.environ, **environment})

    def pid(self, region, daemon):
        return int((self.var / region / f"{daemon}.pid").read_text())

    def regions(self):
        return yaml.safe_load((self.var / "deployment.yaml").read_text())["regions"]

    def admin(self, region):
        return next(r["admin"] for r in self.regions() if r["name"] == region)

    def ready(self, region):
        return http_get(f"http://{self.admin(region)}/readyz")[0] == 200

    def all_ready(self):
        return all(http_get(f"http://{address}/readyz")[0] == 200 for r in self.regions()
                   for address in (r["admin"], r["replicator_admin"], *r.get("worker_admins", [])))

    def rows(self, region):
        """Value, origin and time in milliseconds by the sort key, of the drill's table."""
        rows, after = {}, ""
        while True:
            with urllib.request.urlopen(f"http://{self.admin(region)}/v1/tables/meridian-drill/rows"
                                        f"?limit=1000&after={after}") as answer:
                page = json.loads(answer.read())["rows"]
            for row in page:
                key = row["key_json"]
                rows[key["drill"]["S"], key["key"]["S"]] = row["version"]
            if len(page) < 1000:
                return rows
            after = page[-1]["key"]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    made = Local(tmp_path_factory.mktemp("drill"))
    data = made.var / REGION / "data"
    data.mkdir(parents=True)
    with SmallDisk(data, 64):
        made.up()
        yield made
        made.down()


def settings(out, baseline="2s", fault="5s", rate="50"):
    return ("--baseline", baseline, "--fault", fault, "--rate", rate, "--yes", "--out", str(out))


def documented():
    """Fields of report.json by its keys, from the table in docs/DRILLS.md."""
    text = (ROOT / "docs/DRILLS.md").read_text().split("### report.json", 1)[1]
    rows = re.findall(r"^\| (`.*?) \| (.*)\|$", text, re.M)
    return {key: set(re.findall(r"`(\w+)[`.]", fields))
            for keys, fields in rows for key in re.findall(r"`(\w+)`", keys)}


def check_folder(out, report):
    schema = documented()
    assert set(report) == set(schema)
    for key, value in report.items():
        if isinstance(value, dict) and key != "versions":
            assert set(value) == schema[key], key
    assert set(report["timeline"][0]) == schema["timeline"]
    for name in ("report.md", "report.html", "timeline.jsonl", "lag.csv", "latency-eu-west-1.hgrm",
                 "verify.json", "config/deployment.yaml", "config/us-east-1-region-node.yaml"):
        assert (out / name).stat().st_size > 0, name
    phases = [json.loads(line)["phase"] for line in (out / "timeline.jsonl").read_text().splitlines()]
    assert set(PHASES) <= set(phases)
    assert len((out / "late-writes.jsonl").read_text().splitlines()) == report["rpo"]["then_arrived_late"]
    assert len((out / "lost-writes.jsonl").read_text().splitlines()) == report["writes"]["lost"]
    assert len((out / "stale-reads.jsonl").read_text().splitlines()) == report["reads"]["stale"]
    assert len((out / "conflicts.jsonl").read_text().splitlines()) == report["conflicts"]
    page = (out / "report.html").read_text()
    assert "class='window'" in page and "src=" not in page and "href=" not in page


SCENARIOS = ["region-loss", "partition", "partition-one-way", "partition-flapping", "slow-link",
             "replicator-crash", "clock-step", "disk-full", "evacuation", "failback"]
LEAVE = {"region-loss", "partition", "partition-one-way", "partition-flapping", "clock-step", "disk-full"}


def test_all_scenarios_are_known_here(local):
    listed = json.loads(local.drill("list", "-o", "json").stdout)["scenarios"]
    assert [entry["scenario"] for entry in listed] == SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_runs_to_its_verdict(local, tmp_path, scenario, long):
    if scenario != "region-loss" and not long:
        pytest.skip("with --long")
    out = tmp_path / "report"
    # A full disk is noticed only when the WAL has used up the room that it has from before.
    fault = "30s" if scenario == "disk-full" else "5s"
    done = local.drill("run", scenario, *settings(out, fault=fault))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((out / "report.json").read_text())
    assert report["verdict"] == "PASS" and report["missed"] == []
    assert report["equality"]["identical"] is True and report["equality"]["differing"] == 0
    assert report["writes"]["lost"] == 0 and report["writes"]["acknowledged"] > 100
    assert report["rpo"]["writes"] == report["rpo"]["then_arrived_late"]
    if scenario in LEAVE:
        rto = report["rto"]
        assert rto["total_s"] == pytest.approx(rto["detect_s"] + rto["switch_s"], abs=0.001)
        assert report["failback"]["switch_s"] >= 0
    check_folder(out, report)
    again = local.drill("report", str(out))
    assert again.returncode == 0 and "PASS" in again.stdout
    assert "rto_s" in local.drill("compare", str(out), str(out)).stdout
    wait_until(local.all_ready, 30, "everything is as it was")


def test_clients_leave_by_a_check_of_the_users_own(local, tmp_path, long):
    if not long:
        pytest.skip("with --long")
    check = tmp_path / "ill"
    # Well while it is asked for the first time, by the preflight.
    check.write_text('#!/bin/sh\necho "$1" >> "$0.asked"\n[ "$(wc -l < "$0.asked")" -le 1 ]\n')
    check.chmod(0o755)
    done = local.drill("run", "partition-one-way", *settings(tmp_path / "report"),
                       "--health-check", str(check))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert report["rto"]["detected_by"] == f"{check} says that {REGION} is ill"
    asked = (tmp_path / "ill.asked").read_text().split()
    assert len(asked) >= 3 and set(asked) == {REGION}


def test_it_needs_a_yes_a_scenario_and_a_healthy_deployment(local):
    assert local.drill("run", "region-loss").returncode == 2
    assert local.drill("run", "earthquake", "--yes").returncode == 2
    assert local.drill("run", "partition", "--yes", "--abort-if", "speed>3").returncode == 2
    assert REGION in local.drill("plan", "partition").stdout
    ill = local.drill("run", "partition", *settings("/proc/report"), "--health-check", "/no/such/check")
    assert ill.returncode == 3 and "/no/such/check answered 127" in ill.stderr, ill.stderr
    unwritable = local.drill("run", "partition", *settings("/proc/report"))
    assert unwritable.returncode == 5, unwritable.stderr
    os.kill(local.pid("eu-west-1", "replicator"), signal.SIGKILL)
    refused = local.drill("run", "partition", "--yes")
    assert refused.returncode == 3 and "eu-west-1" in refused.stderr
    assert not pathlib.Path(local.folder / "drills").exists()
    local.up()
    wait_until(local.all_ready, 30, "it is started again")


def test_what_ends_a_drill_early_heals_first(local, tmp_path):
    out = tmp_path / "interrupted"
    environ = lambda: pathlib.Path(f"/proc/{local.pid(REGION, 'region-node')}/environ").read_bytes()
    before = environ()
    drill = local.start_drill("run", "region-loss", *settings(out, baseline="1s", fault="60s"),
                              MERIDIAN_LOG_LEVEL="debug")
    wait_until(lambda: not local.ready(REGION), 30, "the region is down")
    assert local.drill("run", "partition", "--yes").returncode == 3, "one drill at a time"
    drill.send_signal(signal.SIGINT)
    said = drill.communicate(timeout=60)[0]
    assert drill.returncode == 4, said
    report = json.loads((out / "report.json").read_text())
    assert report["verdict"] == "ABORTED" and report["aborted"] == "interrupted"
    assert report["missed"] == [] and report["writes"]["lost"] is None, "nobody looked"
    wait_until(local.all_ready, 30, "healed")
    assert environ() == before, "it is started as it was, whatever the drill's own settings"

    out = tmp_path / "stopped"
    done = local.drill("run", "partition", *settings(out, fault="60s"), "--abort-if", "lag>3s")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "lag>3s" in json.loads((out / "report.json").read_text())["aborted"]
    status = subprocess.run(local.argv("link", "list", "-o", "json"), capture_output=True, text=True)
    links = json.loads(status.stdout)["links"]
    assert len(links) == 6 and not any(link["faults"] for link in links)


def test_a_drill_that_is_killed_leaves_nothing_down(local, tmp_path):
    drill = local.start_drill("run", "region-loss", *settings(tmp_path / "r", baseline="1s", fault="60s"))
    wait_until(lambda: not local.ready(REGION), 30, "the region is down")
    drill.kill()
    drill.communicate(timeout=60)
    wait_until(local.all_ready, 30, "its guard starts what it had ended")


DAEMONS = ("region-node", "replicator", "replicator-2")


@pytest.fixture
def workers(tmp_path):
    made = Local(tmp_path, "--regions", f"{REGION},eu-west-1", "--workers", "2")
    made.up()
    yield made
    made.down()


def pids(local, region):
    return {daemon: local.pid(region, daemon) for daemon in DAEMONS}


@pytest.mark.parametrize("scenario", ["replicator-crash", "region-loss"])
def test_every_worker_of_a_region_is_drilled(workers, scenario):
    before = {name: pids(workers, name) for name in (REGION, "eu-west-1")}
    out = workers.folder / "report"
    done = workers.drill("run", scenario, *settings(out, fault="6s"))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((out / "report.json").read_text())
    assert report["verdict"] == "PASS" and report["writes"]["lost"] == 0
    for daemon in DAEMONS:
        assert (out / "config" / f"{REGION}-{daemon}.yaml").stat().st_size > 0
    # Both workers of the region, and nobody else.  No worker was left that could take over what the
    # others shipped: records waited for as long as the fault lasted.
    after = pids(workers, REGION)
    ended = {daemon for daemon in DAEMONS if after[daemon] != before[REGION][daemon]}
    assert ended == (set(DAEMONS) if scenario == "region-loss" else {"replicator", "replicator-2"})
    assert pids(workers, "eu-west-1") == before["eu-west-1"]
    if scenario == "replicator-crash":
        assert report["rpo"]["seconds"] > 5
    wait_until(workers.all_ready, 30, "everything is as it was")


def test_a_worker_that_is_down_is_seen_beforehand(workers):
    os.kill(workers.pid("eu-west-1", "replicator-2"), signal.SIGKILL)
    refused = workers.drill("run", "partition", "--yes")
    assert refused.returncode == 3 and "eu-west-1's replicator is not ready" in refused.stderr
    # One whose daemons were not started by deploy/up cannot be ended from here, nor started again.
    workers.up()
    wait_until(workers.all_ready, 30, "it is started again")
    (workers.var / REGION / "replicator-2.pid").rename(workers.folder / "kept")
    refused = workers.drill("run", "replicator-crash", "--yes")
    (workers.folder / "kept").rename(workers.var / REGION / "replicator-2.pid")
    assert refused.returncode == 3 and "replicator-2.pid" in refused.stderr


def test_a_drill_that_is_killed_leaves_no_worker_down(workers):
    drill = workers.start_drill("run", "replicator-crash",
                                *settings(workers.folder / "r", baseline="1s", fault="60s"))
    before = pids(workers, REGION)
    wait_until(lambda: not any(pathlib.Path(f"/proc/{before[d]}/cmdline").exists()
                               and pathlib.Path(f"/proc/{before[d]}/cmdline").read_bytes()
                               for d in DAEMONS[1:]), 30, "both workers are down")
    drill.kill()
    drill.communicate(timeout=60)
    wait_until(workers.all_ready, 30, "its guard starts what it had ended")


# From the moment at which clients are to leave the region nobody is acknowledged there, until the test
# goes on.
HOOK = """#!/bin/sh
kill -STOP {pid}
echo "$2" > {folder}/asked.new && mv {folder}/asked.new {folder}/asked
until test -e {folder}/go; do sleep 0.05; done
"""


def lossy_replicator():
    build = pathlib.Path(program("meridian")).parents[1]
    subprocess.run(["cmake", "--build", str(build), "--target", "lossy_replicator"], check=True,
                   capture_output=True)
    return build / "lossy/replicator"


def test_a_replicator_that_loses_records_is_found_out(local, tmp_path, long):
    if not long:
        pytest.skip("with --long")
    pid = local.pid(REGION, "replicator")
    plain = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    # A table of its own, which the regions have just compared: the next scrub, which would mend what is
    # lost, is a minute away.
    subprocess.run(local.argv("table", "delete", "meridian-drill", "--yes"), check=False,
                   capture_output=True)
    replace_daemon(local, [str(lossy_replicator()), *plain[1:]])
    try:
        check_honesty(local, tmp_path)
    finally:
        replace_daemon(local, plain)
    wait_until(local.all_ready, 30, "everything is as it was")


def replace_daemon(local, argv):
    os.kill(local.pid(REGION, "replicator"), signal.SIGTERM)
    address = next(r["replicator_admin"] for r in local.regions() if r["name"] == REGION)
    wait_until(lambda: http_get(f"http://{address}/readyz")[0] == 0, 30, "it has stopped")
    log = open(local.var / REGION / "replicator.log", "a")
    started = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                               start_new_session=True)
    (local.var / REGION / "replicator.pid").write_text(f"{started.pid}\n")
    wait_until(lambda: http_get(f"http://{address}/readyz")[0] == 200, 30, "it is ready")


def check_honesty(local, tmp_path):
    hook, asked, out = tmp_path / "hook", tmp_path / "asked", tmp_path / "report"
    node = local.pid(REGION, "region-node")
    hook.write_text(HOOK.format(pid=node, folder=tmp_path))
    hook.chmod(0o755)
    # It loses the 2,000th record, and one in 10,000 from there on.
    drill = local.start_drill("run", "partition", *settings(out, "10s", "9s", "1500"),
                              "--switch-command", str(hook))
    try:
        wait_until(asked.exists, 60, "clients are about to leave")
        survivor = asked.read_text().strip()
        held = local.rows(survivor)
        seen_ms = time.time_ns() // 1_000_000
        (tmp_path / "go").touch()
        # What was under way in the region is given up and tried elsewhere.
        wait_until(lambda: writers_in(local, survivor) >= {"own-0", "own-1", "own-2"}, 60,
                   "every writer of the region has moved")
    finally:
        os.kill(node, signal.SIGCONT)
    said = drill.communicate(timeout=240)[0]
    assert drill.returncode == 1, said
    report = json.loads((out / "report.json").read_text())
    assert report["verdict"] == "FAIL"

    # What the region had acknowledged then and the survivor had not, counted from the regions' rows.
    rows = {r["name"]: local.rows(r["name"]) for r in local.regions()}
    missing = [key for key, version in rows[REGION].items()
               if key[0] == report["id"] and key[1].startswith("own-")
               and version.endswith(f"@{REGION}") and time_ms(version) <= seen_ms
               and key not in held]
    assert report["rpo"]["writes"] == len(missing) > 0

    # And what some region never got.
    everywhere = set.intersection(*(set(r) for r in rows.values()))
    lost = {key[1] for r in rows.values() for key in r
            if key not in everywhere and key[0] == report["id"] and key[1].startswith("own-")}
    listed = [json.loads(line)["key"] for line in (out / "lost-writes.jsonl").read_text().splitlines()]
    assert lost and {key for key in listed if key.startswith("own-")} == lost
    assert report["writes"]["lost"] == len(listed)


def writers_in(local, region):
    """Those whose own keys this region was the first to take."""
    return {key.split(".")[0] for (_, key), version in local.rows(region).items()
            if version.endswith(f"@{region}")}


def time_ms(version):
    """Of "2026-11-25T03:27:14.567Z/0@us-east-1"."""
    import datetime
    moment = datetime.datetime.fromisoformat(version.split("/")[0].replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


@pytest.fixture
def server(local, tmp_path):
    """`meridian drill serve`: calls it, and answers status and body."""
    port = free_port()
    process = subprocess.Popen(local.argv("drill", "serve", "--listen", f"127.0.0.1:{port}", "--out",
                                          str(tmp_path / "drills")), stderr=subprocess.DEVNULL)

    def call(path, method="GET", **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/drills{path}", method=method,
                                         headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    wait_until(lambda: call("")[0] == 200, 30, "it listens")
    yield call
    process.terminate()
    assert process.wait(60) == 0


def test_drills_over_http(local, server):
    state = json.loads(server("")[1])
    assert [s["name"] for s in state["scenarios"]] == SCENARIOS and state["reports"] == []
    assert server("/run?scenario=earthquake", "POST")[0] == 400
    assert server("/run?scenario=partition&region=mars", "POST")[0] == 400
    assert server("/run?scenario=partition&fault=--yes%20", "POST")[0] == 400
    assert server("/stop", "POST")[0] == 409
    for path in ("/..%2fvar/deployment.yaml", "/../var/deployment.yaml", "/drill-1/../../var/x"):
        assert server(path)[0] == 404, path
    assert server("", Origin="http://evil.example")[0] == 403
    status, body = server("/run?scenario=partition&fault=60s&baseline=1s&rate=50", "POST")
    assert status == 200, body
    folder = json.loads(body)["folder"]
    assert server("/run?scenario=partition", "POST")[0] == 409
    wait_until(lambda: "INJECT" in server("")[1], 30, "its timeline is seen while it runs")
    assert json.loads(server("")[1])["running"]["folder"] == folder
    assert server("/stop", "POST")[0] == 200
    ended = wait_until(lambda: json.loads(server("")[1])["reports"], 30, "its report is there")
    assert ended[0]["folder"] == folder and ended[0]["verdict"] == "ABORTED"
    status, page = server(f"/{folder}/report.html")
    assert status == 200 and "ABORTED" in page
    # The report is saved before the process has ended.
    last = wait_until(lambda: json.loads(server("")[1])["last"], 10, "its exit code is known")
    assert last["exit_code"] == 4
