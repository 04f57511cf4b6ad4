"""Regions of Meridian as real processes, for tests.

A Cluster lies in one directory, laid out like a local deployment (one folder per region with data/,
checkpoints/, logs and YAML files), and runs a region-node and a replicator per region.  Only processes
that this module started are ever signalled, each by its own pid.

Environment: MERIDIAN_BIN names the folder of the programs (default build/release/bin); for ports see
ports.py.
"""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import yaml
from botocore.config import Config

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION_NAMES = ["us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1", "ca-central-1"]
READY_SECONDS = 30
STOP_SECONDS = 20


def program(name):
    path = pathlib.Path(os.environ.get("MERIDIAN_BIN") or ROOT / "build/release/bin") / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: build it, or set MERIDIAN_BIN")
    return str(path)


def http_get(url, timeout=5):
    """Status and body of a GET; status 0 when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (OSError, urllib.error.URLError) as error:
        return 0, str(error)


def wait_until(check, seconds, what):
    """Polls `check` until it answers something true; returns that.  Fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        last = check()
        if last:
            return last
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Process:
    """One program with its log file, started and stopped any number of times."""

    def __init__(self, name, argv, log_path, ready_url):
        self.name = name
        self.argv = argv
        self.log_path = pathlib.Path(log_path)
        self.ready_url = ready_url
        self.popen = None

    def start(self, wait=True):
        assert not self.running(), f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                self.argv, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def ready(self):
        return http_get(self.ready_url, timeout=2)[0] == 200

    def ready_text(self):
        return http_get(self.ready_url, timeout=2)[1]

    def wait_ready(self):
        def check():
            if not self.running():
                raise AssertionError(
                    f"{self.name} ended with {self.popen.returncode}:\n{self.log_tail()}")
            return self.ready()
        wait_until(check, READY_SECONDS, f"{self.name} is ready\n{self.log_tail()}")

    def signal(self, number):
        assert self.running(), f"{self.name} does not run"
        self.popen.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        self.signal_if_running(signal.SIGCONT)  # a paused process would never see the SIGTERM
        try:
            return self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name} did not end within {STOP_SECONDS} s of SIGTERM\n{self.log_tail()}")

    def signal_if_running(self, number):
        if self.running():
            self.popen.send_signal(number)

    def kill(self):
        self.signal_if_running(signal.SIGKILL)
        if self.popen is not None:
            self.popen.wait()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines=20):
        return "\n".join(self.log().splitlines()[-lines:])


class Region:
    def __init__(self, name, folder, ports=None, network=None):
        """`network`: where the region lives, if not among the test's own interfaces (machine.py)."""
        self.name = name
        self.folder = pathlib.Path(folder)
        self.network = network
        self.ports = ports or {
            p: free_port() for p in ("table", "streams", "admin", "peer", "replicator")}
        self.node = Process(
            f"{name} region-node",
            self.prefix() + [program("region-node"), "--config", str(self.folder / "region-node.yaml")],
            self.folder / "region-node.log", self.admin_url("/readyz"))
        self.replicator = None

    def prefix(self):
        return self.network.prefix() if self.network else []

    def listens_on(self, port):
        return f"127.0.0.1:{self.ports[port]}"

    def address(self, port):
        """How the test reaches it."""
        return f"{self.network.test_host if self.network else '127.0.0.1'}:{self.ports[port]}"

    def peer_address(self):
        """How the other regions reach it."""
        return f"{self.network.peer_host if self.network else '127.0.0.1'}:{self.ports['peer']}"

    def url(self, port, path=""):
        return f"http://{self.address(port)}{path}"

    def admin_url(self, path):
        return self.url("admin", path)

    def replicator_url(self, path):
        return self.url("replicator", path)

    @property
    def data_dir(self):
        return self.folder / "data"

    def write_config(self, others, shards=None):
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        (self.folder / "checkpoints").mkdir(exist_ok=True)
        peers = [{"region": o.name, "address": o.peer_address()} for o in others]
        console = {kind: [{"region": r.name, "address": r.address(port)} for r in [self, *others]]
                   for kind, port in (("nodes", "admin"), ("replicators", "replicator"))}
        node = {
            "region": self.name,
            "data_dir": str(self.data_dir),
            "listen": {p: self.listens_on(p) for p in ("table", "streams", "admin", "peer")},
            "peers": peers,
            "console": console,
            "log_level": "info",
        }
        if shards:
            node["shards"] = shards
        if self.network:
            node["peer_plain_text"] = True
        (self.folder / "region-node.yaml").write_text(yaml.safe_dump(node))
        replicator = {
            "region": self.name,
            "node": self.listens_on("peer"),
            "peers": peers,
            "checkpoint_dir": str(self.folder / "checkpoints"),
            "admin": self.listens_on("replicator"),
            "console": {"nodes": console["nodes"]},
            "log_level": "info",
        }
        if self.network:
            replicator["peer_plain_text"] = True
        (self.folder / "replicator.yaml").write_text(yaml.safe_dump(replicator))

    def add_replicator(self):
        self.replicator = Process(
            f"{self.name} replicator",
            self.prefix() + [program("replicator"), "--config", str(self.folder / "replicator.yaml")],
            self.folder / "replicator.log", self.replicator_url("/readyz"))

    def client(self, service="dynamodb", attempts=1, **config):
        port = "streams" if service == "dynamodbstreams" else "table"
        return client(service, self.url(port), self.name, attempts, **config)


def client(service, url, region, attempts=1, **config):
    """A boto3 client that, unlike the default, shows every failure to the test at once."""
    settings = dict(connect_timeout=3, read_timeout=20, max_pool_connections=64)
    settings.update(config)
    return boto3.client(
        service, endpoint_url=url, region_name=region, aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, **settings))


class Cluster:
    def __init__(self, folder, count=3, shards=None, replicators=True, networks=()):
        self.folder = pathlib.Path(folder)
        self.regions = []
        for index, name in enumerate(REGION_NAMES[:count]):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            network = networks[index] if index < len(networks) else None
            self.regions.append(Region(name, self.folder / name, network=network))
        for region in self.regions:
            region.write_config([r for r in self.regions if r is not region], shards)
            if replicators:
                region.add_replicator()
        self.deployment = self.folder / "deployment.yaml"
        self.deployment.write_text(yaml.safe_dump(self.deployment_file()))

    def deployment_file(self):
        return {"regions": [{
            "name": r.name,
            **{p: r.address(p) for p in ("table", "streams", "admin", "peer")},
            "replicator_admin": r.address("replicator"),
        } for r in self.regions]}

    def __getitem__(self, index):
        return self.regions[index]

    def __iter__(self):
        return iter(self.regions)

    def processes(self):
        return [p for r in self.regions for p in (r.node, r.replicator) if p is not None]

    def deaths(self):
        """Processes that ended by themselves: a bug, whatever the test was about."""
        return [f"{p.name} ended with {p.popen.returncode}:\n{p.log_tail(30)}"
                for p in self.processes()
                if p.popen is not None and p.popen.poll() not in (None, 0, -9, -15)]

    def start(self):
        try:
            for process in self.processes():
                process.start(wait=False)
            for process in self.processes():
                process.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        """Ends everything at once.  Orderly stops are what the tests about stopping are for."""
        for process in self.processes():
            process.signal_if_running(signal.SIGKILL)
        for process in self.processes():
            process.kill()

    __enter__ = start

    def __exit__(self, *_):
        self.close()

    def cli(self, *arguments, timeout=60):
        """Runs `meridian`; returns the finished process with stdout and stderr as text."""
        return subprocess.run(
            [program("meridian"), "--deployment", str(self.deployment), *arguments],
            capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)

    def cli_json(self, *arguments, codes=(0,), timeout=60):
        done = self.cli(*arguments, "-o", "json", timeout=timeout)
        assert done.returncode in codes, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def create_global_table(self, name, keys=(("customer", "S"), ("order", "S")), stream=None,
                            home=0, regions=None):
        """As an operator would: CreateTable in one region, then UpdateTable adds the others (`regions`)."""
        home_region = self.regions[home]
        # Regions that start together may not have found each other yet; SDKs retry that error.
        table = home_region.client(attempts=8)
        request = dict(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in keys],
            KeySchema=[{"AttributeName": n, "KeyType": k}
                       for (n, _), k in zip(keys, ("HASH", "RANGE"))])
        if stream:
            request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream}
        table.create_table(**request)
        self.wait_active(name, [home_region], replicas=0)
        regions = regions or self.regions
        for region in regions:
            if region is not home_region:
                table.update_table(TableName=name, ReplicaUpdates=[
                    {"Create": {"RegionName": region.name}}])
                self.wait_active(name, [home_region, region], replicas=1)
        self.wait_active(name, regions, replicas=len(regions) - 1)
        return name

    def link(self, table, source, sink):
        """What `meridian lag` says of one link."""
        report = self.cli_json("lag")
        found = [row for row in report["links"] if row["table"] == table
                 and row["source"] == source.name and row["sink"] == sink.name]
        assert len(found) == 1, report
        return found[0]

    def wait_ageing(self, table, source, sink, seconds=30):
        """Until the oldest record that waits on a link is seen to grow older; returns the last look."""
        first = wait_until(lambda: (lambda row: row["oldest_pending_ms"] and row)(
            self.link(table, source, sink)), seconds, "something waits")
        return wait_until(lambda: (
            lambda row: (row["oldest_pending_ms"] or 0) >= first["oldest_pending_ms"] + 1000 and row)(
                self.link(table, source, sink)), seconds, "and grows older")

    def verify(self, table):
        """Exit code and parsed report of `meridian verify`."""
        done = self.cli("verify", table, "-o", "json")
        assert done.returncode in (0, 1), f"{done.returncode}\n{done.stdout}{done.stderr}"
        return done.returncode, json.loads(done.stdout)

    def wait_identical(self, table, seconds):
        """Until the regions agree, by themselves; returns the report."""
        last = [None]

        def check():
            code, last[0] = self.verify(table)
            return code == 0
        try:
            wait_until(check, seconds, "verify says identical")
        except AssertionError as error:
            unready = {p.name: p.ready_text() for p in self.processes() if not p.ready()}
            raise AssertionError(
                f"{error}: {json.dumps(last[0])[:2000]}; not ready: {unready}") from None
        return last[0]

    def wait_active(self, name, regions, replicas):
        """Until every region says ACTIVE and lists at least so many other replicas, all ACTIVE."""
        for region in regions:
            table = region.client()

            def check():
                try:
                    described = table.describe_table(TableName=name)["Table"]
                except table.exceptions.ResourceNotFoundException:
                    return False
                listed = [r for r in described.get("Replicas", [])
                          if r["RegionName"] != region.name]
                return (described["TableStatus"] == "ACTIVE" and len(listed) >= replicas
                        and all(r["ReplicaStatus"] == "ACTIVE" for r in listed))
            wait_until(check, 30, f"{name} is ACTIVE in {region.name} with {replicas} others")
