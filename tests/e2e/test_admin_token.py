"""The token of the admin addresses: whoever does not hold it learns whether a daemon is well, no more."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest
import yaml

from cluster import Cluster, free_port, program, wait_until
from monitoring import Prometheus

TOKEN = "e2e-0123456789abcdef"
OTHER = "e2e-fedcba9876543210"


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "admin-token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def guarded(tmp_path, token_file):
    """Two regions whose daemons want the token; the deployment file knows of none."""
    made = Cluster(tmp_path, count=2)
    for region in made:
        for daemon in ("region-node", "replicator"):
            path = region.folder / f"{daemon}.yaml"
            path.write_text(path.read_text() + f"admin_token_file: {token_file}\n")
    with made:
        yield made
        assert not made.deaths()


def ask(url, token=None, method="GET", headers=(), body=None):
    """Status, headers and text of an answer."""
    request = urllib.request.Request(url, method=method, headers=dict(headers), data=body)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def meridian(cluster, *arguments, token_file=None):
    environment = dict(os.environ)
    if token_file:
        environment["MERIDIAN_ADMIN_TOKEN_FILE"] = str(token_file)
    return subprocess.run([program("meridian"), "--deployment", str(cluster.deployment), *arguments],
                          capture_output=True, text=True, timeout=60, env=environment)


def test_who_does_not_hold_it_is_refused(guarded):
    for url in (guarded[0].admin_url, guarded[0].replicator_url):
        for path in ("/livez", "/readyz"):
            assert ask(url(path))[0] == 200
        for path in ("/v1/status", "/metrics", "/v1/links", "/no-such-page"):
            status, headers, body = ask(url(path))
            assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="admin"'), path
            assert "admin_token_file" in json.loads(body)["error"]
            assert ask(url(path), OTHER)[0] == 401
        assert ask(url("/v1/status"), TOKEN)[0] == 200
        metrics = ask(url("/metrics"), TOKEN)[2]
        assert "meridian_build_info" in metrics
        assert re.search(r'meridian_admin_refused_total\{token="none"\} [1-9]', metrics)
        assert re.search(r'meridian_admin_refused_total\{token="wrong"\} [1-9]', metrics)
        assert ask(url("/v1/links/eu-west-1/cut?for_ms=1000"), method="POST")[0] == 401
    # The page itself holds nothing of the deployment; what it then asks for does.
    assert ask(guarded[0].admin_url("/"))[0] == 200
    assert ask(guarded[0].admin_url("/console/app.js"))[0] == 200
    assert ask(guarded[0].admin_url("/v1/console"))[0] == 401
    assert ask(guarded[0].admin_url("/v1/console"), TOKEN)[0] == 200


def test_the_api_on_the_admin_address_wants_it_too(guarded):
    request = {"method": "POST", "body": b"{}", "headers": {
        "X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}}
    for path in ("/", "/livez"):
        assert ask(guarded[0].admin_url(path), **request)[0] == 401
    assert ask(guarded[0].admin_url("/"), TOKEN, **request)[0] == 200
    # Clients of the tables need none: that is another address.
    assert guarded[0].client().list_tables()["TableNames"] == []


def test_the_command_line_shows_it(guarded, token_file, tmp_path):
    guarded.create_global_table("Orders")
    done = meridian(guarded, "status")
    assert done.returncode == 1 and "MERIDIAN_ADMIN_TOKEN_FILE" in done.stderr, done.stdout
    assert "locked" in done.stdout and "down" not in done.stdout + done.stderr
    for words in (("verify", "Orders"), ("conflicts", "list", "Orders"), ("drain", "--from", "us-east-1",
                                                                  "--to", "eu-west-1")):
        done = meridian(guarded, *words)
        assert done.returncode == 4 and "it wants a token" in done.stderr, done.stdout + done.stderr
    for words in (("status",), ("verify", "Orders"), ("lag",), ("conflicts", "list", "Orders"),
                  ("link", "heal", "--from", "all", "--to", "all")):
        done = meridian(guarded, *words, token_file=token_file)
        assert done.returncode == 0, done.stdout + done.stderr
    assert meridian(guarded, "--admin-token-file", str(token_file), "status").returncode == 0
    # Health checks go without.
    assert meridian(guarded, "ready", guarded[0].address("admin")).returncode == 0

    wrong = tmp_path / "wrong-token"
    wrong.write_text(OTHER)
    done = meridian(guarded, "verify", "Orders", token_file=wrong)
    assert done.returncode == 4 and "does not take this token" in done.stderr, done.stderr
    done = meridian(guarded, "status", token_file=tmp_path / "nowhere")
    assert done.returncode == 2 and "nowhere cannot be read" in done.stderr

    # Named by the deployment file, from its own folder on.
    deployment = guarded.deployment_file()
    deployment["admin_token_file"] = token_file.name
    guarded.deployment.write_text(yaml.safe_dump(deployment))
    assert meridian(guarded, "status").returncode == 0


def test_prometheus_shows_it(guarded, token_file, tmp_path):
    with Prometheus(guarded, tmp_path / "prometheus", token_file=token_file) as prometheus:
        assert prometheus.value('sum(up{job="meridian-replicator"})')[0]["value"][1] == "2"


def test_another_token_is_taken_without_a_restart(guarded, token_file):
    token_file.write_text(OTHER)
    for process, url in ((guarded[0].node, guarded[0].admin_url),
                         (guarded[0].replicator, guarded[0].replicator_url)):
        assert ask(url("/v1/status"), TOKEN)[0] == 200
        process.signal(signal.SIGHUP)
        wait_until(lambda ask_it=url: ask(ask_it("/v1/status"), OTHER)[0] == 200, 20, "the new token")
        assert ask(url("/v1/status"), TOKEN)[0] == 401
    # One that is no token is refused, and the old one stays.
    token_file.write_text("short")
    guarded[0].node.signal(signal.SIGHUP)
    wait_until(lambda: "reload_failed" in guarded[0].node.log(), 20, "it says so")
    assert ask(guarded[0].admin_url("/v1/status"), OTHER)[0] == 200
    for process in guarded.processes():
        assert TOKEN not in process.log() and OTHER not in process.log()


@pytest.mark.parametrize("daemon, flag", [("region-node", "--listen-admin"), ("replicator", "--admin")])
def test_beyond_loopback_it_is_asked_for(tmp_path, token_file, daemon, flag):
    region = Cluster(tmp_path, count=1)[0]
    words = [program(daemon), "--config", str(region.folder / f"{daemon}.yaml"), flag, "0.0.0.0:1",
             "--check-config"]

    def check(*more):
        return subprocess.run([*words, *more], capture_output=True, text=True, timeout=15)
    done = check()
    assert done.returncode == 2 and "admin_token_file" in done.stderr, done.stderr
    assert check("--admin-token-file", str(token_file)).returncode == 0
    assert check("--listen-beyond-loopback", "true").returncode == 0
    token_file.write_text("short")
    done = check("--admin-token-file", str(token_file), "--log-level", "shouting")
    assert done.returncode == 2 and "16 to 1024" in done.stderr and "log_level" in done.stderr
    assert "short" not in done.stderr


def test_drills_over_http_want_it(guarded, token_file, tmp_path):
    address = f"127.0.0.1:{free_port()}"
    words = [program("meridian"), "--deployment", str(guarded.deployment),
             "--admin-token-file", str(token_file), "drill", "serve", "--out", str(tmp_path / "drills")]
    process = subprocess.Popen([*words, "--listen", address], stderr=subprocess.DEVNULL)
    try:
        def ready():
            try:
                return ask(f"http://{address}/readyz")[0] == 200
            except urllib.error.URLError:
                return False
        wait_until(ready, 20, "drills are served")
        assert ask(f"http://{address}/v1/drills")[0] == 401
        assert ask(f"http://{address}/v1/drills/run?scenario=partition", method="POST")[0] == 401
        assert json.loads(ask(f"http://{address}/v1/drills", TOKEN)[2])["running"] is None
    finally:
        process.terminate()
        assert process.wait(60) == 0
