"""Starting and stopping the daemons: settings, ports, locks, signals, what they say of themselves."""

import pathlib
import re
import signal
import socket
import subprocess

import pytest
import yaml

from cluster import Cluster, http_get, program, wait_until


@pytest.fixture
def one(tmp_path):
    """A single region, not started."""
    made = Cluster(tmp_path, count=1)
    yield made
    made.close()


def edit(path, **changes):
    settings = yaml.safe_load(path.read_text())
    for name, value in changes.items():
        if value is None:
            settings.pop(name)
        else:
            settings[name] = value
    path.write_text(yaml.safe_dump(settings))


def run(name, *arguments, timeout=15):
    return subprocess.run([program(name), *arguments], capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL)


DAEMONS = ["region-node", "replicator"]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_all_errors_of_the_settings_at_once(one, daemon):
    path = one[0].folder / f"{daemon}.yaml"
    edit(path, region="Not A Region!", log_level="shouting", no_such_setting=1)
    done = run(daemon, "--config", str(path))
    output = done.stdout + done.stderr
    assert done.returncode == 2, output
    # Fixing one mistake per start is a waste of an operator's time.
    for word in ("region", "log_level", "no_such_setting"):
        assert word in output, output


@pytest.mark.parametrize("daemon", DAEMONS)
def test_missing_or_broken_settings_file(one, tmp_path, daemon):
    done = run(daemon, "--config", str(tmp_path / "nowhere.yaml"))
    assert done.returncode == 2 and "nowhere.yaml" in done.stdout + done.stderr
    broken = tmp_path / "broken.yaml"
    broken.write_text("region: [unclosed")
    assert run(daemon, "--config", str(broken)).returncode == 2


@pytest.mark.parametrize("name", DAEMONS + ["meridian"])
def test_version_and_help(name):
    done = run(name, "--version")
    assert done.returncode == 0 and re.search(r"\d+\.\d+", done.stdout)
    done = run(name, "--help")
    assert done.returncode == 0 and name in done.stdout


def test_flag_beats_the_file(one):
    # Flag, then environment, then file.
    path = one[0].folder / "region-node.yaml"
    done = run("region-node", "--config", str(path), "--log-level", "shouting")
    assert done.returncode == 2 and "log_level" in done.stdout + done.stderr


@pytest.mark.parametrize("port", ["table", "streams", "admin", "peer"])
def test_port_in_use(one, port):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", one[0].ports[port]))
        taken.listen()
        done = run("region-node", "--config", str(one[0].folder / "region-node.yaml"))
        assert done.returncode not in (0, -6, -11), done.stderr
        assert str(one[0].ports[port]) in done.stdout + done.stderr
    # Nothing was left behind that would hinder a proper start.
    one[0].node.start()
    assert one[0].node.stop() == 0


def test_data_directory_of_another_node(one, tmp_path):
    one[0].node.start()
    other = Cluster(tmp_path / "other", count=1)
    path = other[0].folder / "region-node.yaml"
    edit(path, data_dir=str(one[0].data_dir))
    done = run("region-node", "--config", str(path))
    assert done.returncode not in (0, -6, -11)
    assert str(one[0].data_dir) in done.stdout + done.stderr
    assert one[0].node.ready()  # the first one is not disturbed


def test_data_directory_of_another_region(one):
    # A copied settings file with a new name must not turn one region's data into another's.
    one[0].node.start()
    one[0].client().create_table(
        TableName="Tab", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}])
    one[0].node.stop()
    edit(one[0].folder / "region-node.yaml", region="eu-west-3")
    done = run("region-node", "--config", str(one[0].folder / "region-node.yaml"))
    assert done.returncode not in (0, -6, -11)
    assert "us-east-1" in done.stdout + done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clean_end(one, number):
    one.start()
    for process in (one[0].replicator, one[0].node):
        process.signal(number)
        assert process.popen.wait(15) == 0, process.log_tail()


def test_second_start_keeps_the_data(one):
    node = one[0].node.start()
    table = one[0].client()
    table.create_table(
        TableName="Kept", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    wait_until(lambda: table.describe_table(TableName="Kept")["Table"]["TableStatus"] == "ACTIVE", 10,
               "ACTIVE")
    for number in range(20):
        table.put_item(TableName="Kept", Item={"p": {"S": str(number)}})
    before = table.describe_table(TableName="Kept")["Table"]
    assert node.stop() == 0
    node.start()
    after = table.describe_table(TableName="Kept")["Table"]
    for name in ("TableId", "TableArn", "CreationDateTime", "LatestStreamArn"):
        assert after[name] == before[name]
    assert table.scan(TableName="Kept")["Count"] == 20
    # A consumer goes on where it was: same stream, same sequence numbers.
    import consumer
    found = consumer.drain(one[0].client("dynamodbstreams"), after["LatestStreamArn"])
    assert sum(len(r) for r in found.values()) == 20
    table.put_item(TableName="Kept", Item={"p": {"S": "more"}})
    found = consumer.drain(one[0].client("dynamodbstreams"), after["LatestStreamArn"])
    assert sum(len(r) for r in found.values()) == 21


def test_iterators_survive_a_restart(one):
    node = one[0].node.start()
    table, streams = one[0].client(), one[0].client("dynamodbstreams")
    table.create_table(
        TableName="Tab", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    arn = table.describe_table(TableName="Tab")["Table"]["LatestStreamArn"]
    shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    positions = [streams.get_shard_iterator(StreamArn=arn, ShardId=s["ShardId"], ShardIteratorType=(
        "TRIM_HORIZON"))["ShardIterator"] for s in shards]
    table.put_item(TableName="Tab", Item={"p": {"S": "x"}})
    node.kill()
    node.start()
    streams = one[0].client("dynamodbstreams")
    records = [r for p in positions for r in streams.get_records(ShardIterator=p)["Records"]]
    assert len(records) == 1


def listening_addresses(port):
    # From the kernel itself: a minimal Debian has neither ss nor netstat.
    found = []
    for table, loopback in (("tcp", "0100007F"), ("tcp6", "00000000000000000000000001000000")):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, number = line.split()[1].split(":")
            if int(number, 16) == port and line.split()[3] == "0A":
                found.append((address, loopback))
    return found


def test_listens_on_loopback_only(one):
    one.start()
    for port in one[0].ports.values():
        found = listening_addresses(port)
        assert found, f"nothing listens on {port}"
        assert all(address == loopback for address, loopback in found), found


def test_other_addresses_are_refused(one):
    # No access control yet, so no address that others can reach.
    listen = {p: f"127.0.0.1:{one[0].ports[p]}" for p in ("table", "streams", "admin", "peer")}
    edit(one[0].folder / "region-node.yaml",
         listen={**listen, "table": f"0.0.0.0:{one[0].ports['table']}"})
    edit(one[0].folder / "replicator.yaml", admin=f"0.0.0.0:{one[0].ports['replicator']}")
    for daemon in DAEMONS:
        done = run(daemon, "--config", str(one[0].folder / f"{daemon}.yaml"))
        assert done.returncode == 2
        assert "loopback" in done.stdout + done.stderr


def test_start_up_says_that_signatures_are_not_verified(one):
    one[0].node.start()
    assert re.search(r"signature", one[0].node.log(), re.IGNORECASE), one[0].node.log()
    assert re.search(r"not.verified|unverified", one[0].node.log(), re.IGNORECASE)


def test_health_pages(one):
    one.start()
    for url in (one[0].admin_url, one[0].replicator_url):
        assert http_get(url("/livez"))[0] == 200
        assert http_get(url("/readyz"))[0] == 200
        assert http_get(url("/no-such-page"))[0] == 404


def test_readiness_does_not_depend_on_peers(tmp_path):
    # A remote outage must not take the local region out.
    made = Cluster(tmp_path, count=3)
    try:
        made[0].node.start()
        made[0].replicator.start()
    finally:
        made.close()


def test_replicator_without_its_node_is_alive_but_not_ready(one):
    one[0].replicator.start(wait=False)
    wait_until(lambda: http_get(one[0].replicator_url("/livez"))[0] == 200, 10, "alive")
    assert http_get(one[0].replicator_url("/readyz"))[0] == 503
    one[0].node.start()
    one[0].replicator.wait_ready()


def test_garbage_on_every_port(one):
    # Whatever connects, the daemon lives.
    one.start()
    for port in one[0].ports.values():
        for garbage in (b"\x00" * 1000, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100_000,
                        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b""):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                try:
                    connection.sendall(garbage)
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(1)
                    connection.recv(100)
                except OSError:
                    pass
    for process in one.processes():
        assert process.running() and process.ready(), process.log_tail()
