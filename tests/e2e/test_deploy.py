"""deploy/up and deploy/down, beside whatever runs already: other ports, another folder."""

import json
import os
import signal
import subprocess
import time

import pytest

from cluster import ROOT, http_get, wait_until
from ports import free_base


class Deployment:
    def __init__(self, folder):
        self.var = folder / "var"
        self.base = free_base()
        self.environment = {**os.environ, "MERIDIAN_VAR": str(self.var),
                            "MERIDIAN_PORT_BASE": str(self.base)}
        self.cwd = folder

    def run(self, script, *arguments, code=0):
        done = subprocess.run([str(ROOT / "deploy" / script), *arguments], cwd=self.cwd,
                              env=self.environment, capture_output=True, text=True, timeout=900,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def up(self, *arguments, **kwargs):
        return self.run("up", "--detach", "--no-build", *arguments, **kwargs)

    def pid(self, region, program):
        path = self.var / region / f"{program}.pid"
        return int(path.read_text()) if path.exists() else None

    def meridian(self, *arguments):
        program = os.environ.get("MERIDIAN_BIN") or str(ROOT / "build/release/bin")
        return subprocess.run([f"{program}/meridian", *arguments], cwd=self.cwd, capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)

    def ready(self, index):
        return http_get(f"http://127.0.0.1:{self.base + 8080 + 100 * index}/readyz")[0] == 200


@pytest.fixture
def deployment(tmp_path):
    made = Deployment(tmp_path)
    yield made
    made.run("down", "--wipe")
    assert not made.var.exists()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # nobody may have reaped it yet
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_up_twice_only_and_down(deployment):
    done = deployment.up("--regions", "us-east-1,eu-west-1")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["us-east-1", "eu-west-1"]
    assert f"http://127.0.0.1:{deployment.base + 8100}" in lines[1]
    # The command line finds var/deployment.yaml from the folder that it is called in.
    report = json.loads(deployment.meridian("table", "describe", "Orders", "-o", "json").stdout)
    assert [entry["region"] for entry in report] == ["us-east-1", "eu-west-1"]
    assert all(len(entry["table"]["KeySchema"]) == 2 for entry in report)
    before = [deployment.pid(r, p) for r in ("us-east-1", "eu-west-1")
              for p in ("region-node", "replicator")]

    # A second time, without naming the regions: nothing starts anew.
    assert deployment.up().stdout == done.stdout
    assert before == [deployment.pid(r, p) for r in ("us-east-1", "eu-west-1")
                      for p in ("region-node", "replicator")]

    # What died of one region comes back, alone.
    os.kill(before[2], signal.SIGKILL)
    wait_until(lambda: not alive(before[2]), 10, "the node is dead")
    assert deployment.meridian("status").returncode == 1
    deployment.up("--only", "eu-west-1")
    assert deployment.ready(1)
    assert deployment.pid("eu-west-1", "region-node") != before[2]
    assert deployment.pid("eu-west-1", "replicator") == before[3]
    wait_until(lambda: deployment.meridian("status").returncode == 0, 20, "all is ready")
    assert deployment.meridian("verify", "Orders").returncode == 0

    deployment.run("down")
    assert not any(alive(pid) for pid in before)
    assert (deployment.var / "us-east-1" / "data").is_dir()


def test_tls(deployment):
    deployment.up("--tls", "--regions", "us-east-1,eu-west-1")
    assert (deployment.var / "certs" / "eu-west-1.crt").is_file()
    assert deployment.meridian("status").returncode == 0
    # Plain text gets nowhere; and a second `up` does not fall back to it.
    settings = deployment.var / "us-east-1" / "region-node.yaml"
    assert "tls:" in settings.read_text()
    before = deployment.pid("us-east-1", "region-node")
    deployment.up()
    assert "tls:" in settings.read_text()
    assert deployment.pid("us-east-1", "region-node") == before
    log = (deployment.var / "us-east-1" / "replicator.log").read_text()
    assert "tls_certificate_loaded" in log and "link_up" in log
    deployment.run("down", "--wipe")
    assert not (deployment.var / "certs").exists()


def test_after_a_drill_nothing_is_left_behind(deployment):
    deployment.up("--regions", "us-east-1,eu-west-1")
    os.kill(deployment.pid("eu-west-1", "replicator"), signal.SIGKILL)
    done = deployment.meridian("drill", "run", "partition", "--region", "eu-west-1", "--yes")
    assert done.returncode == 3, done.stdout + done.stderr  # refused; it took its lock all the same
    assert (deployment.var / "drill.lock").exists()
    deployment.run("down", "--wipe")
    assert not deployment.var.exists()


def test_admin_token(deployment):
    done = deployment.up("--admin-token", "--regions", "us-east-1,eu-west-1")
    token = deployment.var / "admin-token"
    assert str(token) in done.stderr and token.read_text() not in done.stdout + done.stderr
    assert token.stat().st_mode & 0o777 == 0o600 and len(token.read_text()) == 64
    url = f"http://127.0.0.1:{deployment.base + 8180}/v1/status"
    assert http_get(url)[0] == 401
    assert deployment.meridian("status").returncode == 0
    # A second `up` keeps it, and so do daemons.
    before, kept = deployment.pid("us-east-1", "region-node"), token.read_text()
    deployment.up()
    assert token.read_text() == kept and http_get(url)[0] == 401
    assert deployment.pid("us-east-1", "region-node") == before
    deployment.run("down", "--wipe")
    assert not token.exists()


def test_a_stale_pid_file_harms_nobody(deployment):
    deployment.up("--regions", "us-east-1", "--no-table")
    deployment.run("down")
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (deployment.var / "us-east-1" / "region-node.pid").write_text(f"{bystander.pid}\n")
        deployment.run("down")
        assert bystander.poll() is None
        (deployment.var / "us-east-1" / "region-node.pid").write_text(f"{bystander.pid}\n")
        deployment.up("--no-table")
        assert deployment.ready(0)
        assert deployment.pid("us-east-1", "region-node") != bystander.pid
    finally:
        bystander.kill()
        bystander.wait()


def test_ctrl_c_in_the_foreground_stops_everything(deployment):
    process = subprocess.Popen(
        [str(ROOT / "deploy/up"), "--no-build", "--regions", "us-east-1"], cwd=deployment.cwd,
        env=deployment.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        stdin=subprocess.DEVNULL, start_new_session=True,
        # A test run in the background ignores SIGINT, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        wait_until(lambda: deployment.ready(0), 300, "the node is ready")
        wait_until(lambda: deployment.pid("us-east-1", "replicator"), 10, "the replicator runs")
        time.sleep(2)
        pids = [deployment.pid("us-east-1", p) for p in ("region-node", "replicator")]
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(30) == 0
        assert not any(alive(pid) for pid in pids)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_wrong_usage(deployment):
    assert "Not A Region" in deployment.up("--regions", "Not A Region", code=2).stderr
    assert "twice" in deployment.up("--regions", "a,a", code=2).stderr
    deployment.run("up", "--nonsense", code=2)
    deployment.run("down", "--nonsense", code=2)
