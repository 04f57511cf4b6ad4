"""The deployment in containers, as its users start it: three regions on published ports, one of them
killed and started again under load.

Environment: MERIDIAN_BIN names the folder of `meridian`.  The image is built by deploy/up itself,
unless MERIDIAN_COMPOSE_BUILT=1 says that it is there.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from ports import free_port  # noqa: E402

REGIONS = ["us-east-1", "eu-west-1", "ap-northeast-1"]
PROMETHEUS_IMAGE = "meridian-test-prometheus"
# What the profile expects of an image, with Debian's Prometheus: its registry need not answer.
PROMETHEUS_DOCKERFILE = f"""
FROM {os.environ.get("MERIDIAN_BASE", "debian:bookworm-slim")}
RUN apt-get update && apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/* \\
 && mkdir /prometheus && chown nobody:nogroup /prometheus
USER nobody
ENTRYPOINT ["/usr/bin/prometheus"]
"""


def run(argv, environment, check=True):
    done = subprocess.run(argv, env=environment, cwd=ROOT, text=True, capture_output=True)
    assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Deployment:
    def __init__(self, folder, project=f"meridian-test-{os.getpid()}"):
        self.project = project
        self.environment = {**os.environ, "MERIDIAN_PROJECT": project, "MERIDIAN_VAR": str(folder),
                            "MERIDIAN_BUILD_NETWORK": "host", "PROMETHEUS_IMAGE": PROMETHEUS_IMAGE}
        names = [f"{region.upper().replace('-', '_')}_{port}_PORT" for region in REGIONS
                 for port in ("TABLE", "STREAMS", "ADMIN", "REPLICATOR")]
        names += ["DRILLS_PORT", "PROMETHEUS_PORT"]
        self.environment.update({name: str(free_port()) for name in names})
        self.file = folder / "compose" / "deployment.yaml"
        self.token_file = folder / "compose" / "secrets" / "admin-token"

    def up(self):
        built = ["--no-build"] if os.environ.get("MERIDIAN_COMPOSE_BUILT") == "1" else []
        return run(["deploy/up", "--compose", *built], self.environment)

    def down(self):
        return run(["deploy/down", "--compose", "--wipe"], self.environment)

    def compose(self, *words, check=True):
        composer = ["docker", "compose"]
        if subprocess.run([*composer, "version"], capture_output=True).returncode != 0:
            composer = ["docker-compose"]
        return run([*composer, "-p", self.project, "-f", "deploy/docker-compose.yml",
                    "--project-directory", "deploy", *words], self.environment, check)

    def docker(self, *words):
        return run(["docker", *words], self.environment).stdout

    def meridian(self, *words, check=True):
        program = pathlib.Path(os.environ.get("MERIDIAN_BIN") or ROOT / "build/release/bin")
        return run([str(program / "meridian"), "--deployment", str(self.file), *words],
                   self.environment, check)

    def endpoints(self, kind):
        """Region -> URL."""
        return {entry["name"]: f"http://{entry[kind]}"
                for entry in yaml.safe_load(self.file.read_text())["regions"]}

    def endpoint(self, region):
        return self.endpoints("table")[region]

    def admin_urls(self):
        return [*self.endpoints("admin").values(), *self.endpoints("replicator_admin").values()]

    def ask(self, url, method="GET", token=None):
        """Status and text of an answer, with the deployment's own token unless another is given."""
        request = urllib.request.Request(url, method=method)
        token = self.token_file.read_text() if token is None else token
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def client(self, region):
        return boto3.client(
            "dynamodb", endpoint_url=self.endpoint(region), region_name=region,
            aws_access_key_id="local", aws_secret_access_key="local",
            config=Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 0}))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    made = Deployment(tmp_path_factory.mktemp("compose"))
    try:
        made.up()
        yield made
    finally:
        made.down()
    assert not made.token_file.parent.exists() and not made.file.parent.exists()


def key(name):
    return {"customer": {"S": name}, "order": {"S": "1"}}


def wait_for(check, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def holds(client, name, value):
    item = client.get_item(TableName="Orders", Key=key(name), ConsistentRead=True).get("Item")
    return item is not None and item["v"]["S"] == value


def test_all_containers_are_healthy_and_run_without_rights(deployment):
    ids = deployment.compose("ps", "-q", "--all").stdout.split()
    containers = json.loads(deployment.docker("inspect", *ids))
    health = {c["Config"]["Labels"]["com.docker.compose.service"]: c["State"].get("Health", {}).get("Status")
              for c in containers}
    exits = {c["Config"]["Labels"]["com.docker.compose.service"]: c["State"]["ExitCode"] for c in containers}
    assert exits["init"] == 0
    daemons = {name: state for name, state in health.items() if name != "init"}
    assert daemons == {n: "healthy" for r in REGIONS for n in (r, f"{r}-replicator")}
    for container in containers:
        assert container["Config"]["User"] == "meridian"
        assert container["HostConfig"]["ReadonlyRootfs"]


def test_the_image_is_small_and_has_only_what_runs(deployment):
    image = os.environ.get("MERIDIAN_IMAGE", "meridian:local")
    (found,) = json.loads(deployment.docker("image", "inspect", image))
    assert found["Config"]["User"] == "meridian" and found["Size"] < 200e6
    told = deployment.docker("run", "--rm", image, "sh", "-c", """
        for tool in c++ g++ gcc cc as ld make cmake ninja; do command -v $tool; done
        for program in region-node replicator meridian; do
          ldd /usr/local/bin/$program | grep 'not found'
          $program --version
        done; id -u""").split("\n")
    assert told[-2] == "10001" and not any("/bin/" in line or "not found" in line for line in told), told


def test_what_is_written_in_each_region_is_read_in_all(deployment):
    for region in REGIONS:
        item = {**key(f"from-{region}"), "v": {"S": region}}
        deployment.client(region).put_item(TableName="Orders", Item=item)
    for reader in REGIONS:
        client = deployment.client(reader)
        for writer in REGIONS:
            wait_for(lambda c=client, w=writer: holds(c, f"from-{w}", w), f"{writer}'s item in {reader}")


def test_the_aws_cli_reaches_every_published_port(deployment):
    environment = {**deployment.environment, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
                   "AWS_PAGER": ""}
    aws = str(pathlib.Path(sys.executable).parent / "aws")
    for region in REGIONS:
        told = run([aws, "dynamodb", "describe-table", "--table-name", "Orders", "--region", region,
                    "--endpoint-url", deployment.endpoint(region)], environment).stdout
        replicas = {r["RegionName"] for r in json.loads(told)["Table"]["Replicas"]}
        assert replicas | {region} == set(REGIONS)


def test_admin_addresses_want_the_token(deployment):
    urls = deployment.admin_urls()
    assert len(urls) == 2 * len(REGIONS)
    for url in urls:
        assert deployment.ask(url + "/readyz", token="")[0] == 200
        for path in ("/v1/status", "/metrics"):
            assert deployment.ask(url + path, token="")[0] == 401
            assert deployment.ask(url + path, token="0123456789abcdef")[0] == 401
            assert deployment.ask(url + path)[0] == 200
    logs = deployment.compose("logs", "--no-color").stdout
    assert logs.count(" started ") >= len(urls), logs[:2000]
    assert "admin_without_token" not in logs and deployment.token_file.read_text() not in logs


def test_the_token_is_kept_from_others_of_the_host(deployment):
    folder = deployment.token_file.parent
    assert folder.stat().st_mode & 0o777 == 0o700 and len(deployment.token_file.read_text()) == 64
    # Were it for the folders above alone, nobody would get that far.
    script = f"cd {folder.parent} && exec setpriv --reuid 65534 --clear-groups cat secrets/admin-token"
    done = run(["sh", "-c", script], deployment.environment, check=False)
    assert done.returncode == 1 and "Permission denied" in done.stderr and not done.stdout, done


def test_without_a_token_nothing_starts(tmp_path):
    plain = Deployment(tmp_path, f"meridian-plain-{os.getpid()}")
    try:
        done = plain.compose("up", "-d", check=False)
        assert done.returncode != 0 and str(plain.token_file) in done.stderr, done
        ids = plain.compose("ps", "-q", "--all").stdout.split()
        states = [c["State"]["Running"] for c in json.loads(plain.docker("inspect", *ids))] if ids else []
        assert not any(states)
    finally:
        plain.compose("down", "--volumes")


def test_another_token_is_taken_without_a_restart(deployment):
    old, new = deployment.token_file.read_text(), os.urandom(32).hex()
    deployment.token_file.write_text(new)  # in place: containers have this very file mounted
    deployment.compose("kill", "-s", "HUP")
    for url in deployment.admin_urls():
        wait_for(lambda u=url: deployment.ask(u + "/v1/status", token=new)[0] == 200, f"{url} takes it")
        assert deployment.ask(url + "/v1/status", token=old)[0] == 401
    assert deployment.meridian("status").returncode == 0


class Writer(threading.Thread):
    """Puts numbered items in one region and remembers which were acknowledged."""

    def __init__(self, client, prefix):
        super().__init__(daemon=True)
        self.client, self.prefix = client, prefix
        self.acknowledged, self.ending = [], threading.Event()

    def run(self):
        number = 0
        while not self.ending.is_set():
            number += 1
            name = f"{self.prefix}-{number}"
            try:
                self.client.put_item(TableName="Orders", Item={**key(name), "v": {"S": name}})
                self.acknowledged.append(name)
            except (BotoCoreError, ClientError):
                time.sleep(0.1)

    def finish(self):
        self.ending.set()
        self.join(30)
        assert not self.is_alive()
        return self.acknowledged


def test_a_region_that_is_killed_and_comes_back_loses_nothing(deployment):
    writers = [Writer(deployment.client(region), f"kill-{region}") for region in REGIONS]
    for writer in writers:
        writer.start()
    wait_for(lambda: all(len(w.acknowledged) > 50 for w in writers), "writes before the kill")
    deployment.compose("kill", "eu-west-1", "eu-west-1-replicator")
    survivors = [w for w in writers if "eu-west-1" not in w.prefix]
    counts = [len(w.acknowledged) for w in survivors]
    wait_for(lambda: all(len(w.acknowledged) > n + 50 for w, n in zip(survivors, counts)),
             "writes while it is gone")
    deployment.compose("start", "eu-west-1", "eu-west-1-replicator")
    returned = writers[REGIONS.index("eu-west-1")]
    count = len(returned.acknowledged)
    wait_for(lambda: len(returned.acknowledged) > count + 50, "writes after its return")
    names = [name for writer in writers for name in writer.finish()]
    wait_for(lambda: deployment.meridian("verify", "Orders", "--settle", "10s", check=False).returncode == 0,
             "the regions are identical")
    for region in REGIONS:
        client = deployment.client(region)
        found = set()
        for page in client.get_paginator("scan").paginate(TableName="Orders", ConsistentRead=True):
            found |= {item["customer"]["S"] for item in page["Items"]}
        assert not set(names) - found, f"acknowledged, and not in {region}"


@pytest.mark.parametrize("scenario", ["region-loss", "partition", "partition-one-way",
                                      "partition-flapping"])
def test_a_drill_runs_to_its_verdict(deployment, tmp_path, scenario):
    out = tmp_path / "report"
    deployment.meridian("drill", "run", scenario, "--baseline", "2s", "--fault", "5s", "--rate", "50",
                        "--region", "eu-west-1", "--yes", "--out", str(out))
    report = json.loads((out / "report.json").read_text())
    assert report["verdict"] == "PASS" and report["equality"]["identical"] is True
    assert report["writes"]["lost"] == 0 and report["rto"]["total_s"] > 0
    assert (out / "config/docker-compose.yml").stat().st_size > 0
    assert (out / "config/docker-compose.env").stat().st_size > 0


def test_the_profile_drill_runs_drills_from_the_console(deployment):
    deployment.compose("--profile", "drill", "up", "-d", "drills")
    url = f"http://127.0.0.1:{deployment.environment['DRILLS_PORT']}/v1/drills"

    def state():
        try:
            return json.loads(deployment.ask(url)[1])
        except OSError:
            return {"reports": [], "last": None}

    wait_for(lambda: "scenarios" in state(), "it listens")
    assert deployment.ask(url, token="")[0] == 401
    assert deployment.ask(url + "/run?scenario=partition", "POST", token="")[0] == 401
    deployment.ask(url + "/run?scenario=partition&fault=4s&baseline=1s&rate=50", "POST")
    wait_for(lambda: state()["reports"], "its report is there")
    assert state()["reports"][0]["verdict"] == "PASS"
    # It has no hold on containers, says so, and touches nothing.
    deployment.ask(url + "/run?scenario=region-loss", "POST")
    wait_for(lambda: state()["last"] and state()["last"]["scenario"] == "region-loss", "it has ended")
    assert state()["last"]["exit_code"] == 3 and "nothing was touched" in state()["last"]["said"]


def test_the_profile_wan_puts_the_globe_between_regions(deployment):
    def delays():
        links = json.loads(deployment.meridian("link", "list", "-o", "json").stdout)["links"]
        return {f"{link['from']} {link['to']}": fault["text"] for link in links for fault in link["faults"]}

    deployment.compose("--profile", "wan", "up", "-d", "wan")
    wait_for(lambda: len(delays()) == 6, "every link has its delay")
    assert delays()["us-east-1 eu-west-1"].startswith("delay 34 ms")
    assert delays()["eu-west-1 ap-northeast-1"] == delays()["ap-northeast-1 eu-west-1"]
    deployment.compose("--profile", "wan", "stop", "wan")
    wait_for(lambda: not delays(), "they end with it")


def test_the_profile_bench_measures_the_three_regions(deployment, monkeypatch):
    for name, value in {"BENCH_DURATION": "3s", "BENCH_RATE": "50", "BENCH_OUTPUT": "json"}.items():
        monkeypatch.setitem(deployment.environment, name, value)
    report = json.loads(deployment.compose("--profile", "bench", "run", "--rm", "-T", "bench").stdout)
    assert report["writes"]["acknowledged"] == report["writes"]["requested"] == 150
    assert {sink["region"]: sink["seen"] for sink in report["sinks"]} == {
        region: report["samples"] for region in REGIONS if region != report["source"]}


def test_the_profile_observability_scrapes_every_daemon(deployment):
    subprocess.run(["docker", "build", "--quiet", "--network", "host", "-t", PROMETHEUS_IMAGE, "-"],
                   input=PROMETHEUS_DOCKERFILE, text=True, check=True, capture_output=True,
                   env={**deployment.environment, "DOCKER_BUILDKIT": "0"})
    deployment.compose("--profile", "observability", "up", "-d", "prometheus")
    url = f"http://127.0.0.1:{deployment.environment['PROMETHEUS_PORT']}/api/v1/query?query="

    def value(expression):
        try:
            status, text = deployment.ask(url + urllib.parse.quote(expression), token="")
        except OSError:
            return None
        found = json.loads(text)["data"]["result"] if status == 200 else []
        return float(found[0]["value"][1]) if found else None

    wait_for(lambda: value("sum(up)") == 2 * len(REGIONS), "every daemon is scraped")
    assert value('count(count by (region) (meridian_build_info))') == len(REGIONS)
    deployment.compose("--profile", "observability", "stop", "prometheus")
