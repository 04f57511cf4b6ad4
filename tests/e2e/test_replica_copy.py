"""Replicas that are added to tables with items, and taken away, while clients read and write."""

import contextlib
import time

import pytest
import yaml
from botocore.exceptions import ClientError

from cluster import Cluster, http_get, wait_until
from fastclient import Client
from load import Load, key_of


def replicas(region, table):
    described = region.client().describe_table(TableName=table)["Table"]
    return {each["RegionName"]: each for each in described.get("Replicas", [])}


def fill(region, table, count, size=100):
    client = Client(region.address("table"))
    for first in range(0, count, 25):
        client.call("BatchWriteItem", {"RequestItems": {table: [
            {"PutRequest": {"Item": {**key_of(f"item{number}"), "v": {"S": "x" * size}}}}
            for number in range(first, min(first + 25, count))]}})
    client.close()


def copied(region):
    """How many rows its new replica has, by its own metrics; None when it is whole."""
    text = http_get(region.admin_url("/metrics"))[1]
    for line in text.splitlines():
        if line.startswith("meridian_replica_copy_rows{"):
            return int(float(line.split()[-1]))
    return None


def wait_copied(region, rows):
    wait_until(lambda: (copied(region) or 0) >= rows, 30, f"{rows} rows are copied")
    return copied(region)


@contextlib.contextmanager
def filled(folder, count, size, bytes_per_s):
    """Three regions with a full table, and a fourth without it, which takes its time for a copy."""
    made = Cluster(folder, count=4)
    settings = made[3].folder / "region-node.yaml"
    settings.write_text(settings.read_text() + yaml.safe_dump({"copy_bytes_per_s_max": bytes_per_s}))
    with made:
        made.create_global_table("Orders", regions=made.regions[:3])
        fill(made[0], "Orders", count, size)
        for number in range(50):
            made[1].client().delete_item(TableName="Orders", Key=key_of(f"item{number}"))
        yield made
        assert not made.deaths()


@pytest.fixture
def four(tmp_path):
    with filled(tmp_path, 2_000, 100, 60_000) as made:
        yield made


@pytest.fixture
def four_large(tmp_path, long):
    with filled(tmp_path, *((1_000_000, 1000, 64 << 20) if long else (2_000, 100, 60_000))) as made:
        yield made


def test_a_fourth_region_joins_under_writes_and_deaths_of_both_sides(four_large, long):
    four = four_large
    newcomer = four[3]
    with Load(four, four.regions[:3], seed=8, pause=0.002) as load:
        four[0].client(attempts=8).update_table(
            TableName="Orders", ReplicaUpdates=[{"Create": {"RegionName": newcomer.name}}])
        assert four[1].client().describe_table(
            TableName="Orders")["Table"]["TableStatus"] == "UPDATING"
        own = replicas(newcomer, "Orders")[newcomer.name]
        assert own["ReplicaStatus"] == "CREATING"
        before = wait_copied(newcomer, 300)
        newcomer.node.kill()
        newcomer.node.start()
        # It goes on from where it was.
        wait_until(lambda: copied(newcomer) is not None, 10, "the copy goes on")
        assert copied(newcomer) >= before - 256
        wait_copied(newcomer, before + 300)
        own = replicas(newcomer, "Orders")[newcomer.name]
        assert 0 < int(own["ReplicaStatusPercentProgress"]) < 100
        seed = next(r for r in four if f"from {r.name}:" in own["ReplicaStatusDescription"])
        seed.node.kill()
        seed.node.start()
        wait_until(
            lambda: replicas(newcomer, "Orders")[newcomer.name]["ReplicaStatus"] == "ACTIVE",
            1800 if long else 60, "the copy ends")
        assert newcomer.node.log().count("copy_started table=Orders resumed=true") == 1
        load.wait_progress()
    load.settle(seconds=600 if long else 60)  # the fourth too
    four.wait_identical("Orders", 600 if long else 60)
    newcomer.client().put_item(TableName="Orders",
                               Item={**key_of("from the fourth"), "v": {"S": "1"}})
    wait_until(lambda: "Item" in four[2].client().get_item(
        TableName="Orders", Key=key_of("from the fourth")), 20, "it replicates from there")


def test_progress_is_shown_and_clients_are_served_only_when_it_is_whole(four):
    newcomer = four[3]
    done = four.cli("replica", "add", "Orders", newcomer.name, "--no-wait")
    assert done.returncode == 0, done.stderr
    wait_copied(newcomer, 300)
    described = newcomer.client().describe_table(TableName="Orders")["Table"]
    assert described["TableStatus"] == "CREATING"
    own = replicas(newcomer, "Orders")[newcomer.name]
    assert own["ReplicaStatus"] == "CREATING"
    assert 0 < int(own["ReplicaStatusPercentProgress"]) < 100
    assert "rows" in own["ReplicaStatusDescription"]
    for call in (lambda c: c.get_item(TableName="Orders", Key=key_of("item99")),
                 lambda c: c.put_item(TableName="Orders", Item=key_of("item99")),
                 lambda c: c.scan(TableName="Orders")):
        with pytest.raises(ClientError) as refused:
            call(newcomer.client())
        assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(ClientError) as refused:
        newcomer.client().delete_table(TableName="Orders")
    assert refused.value.response["Error"]["Code"] == "ResourceInUseException"
    # The others hear how far it is.
    wait_until(lambda: int(replicas(four[1], "Orders")[newcomer.name].get(
        "ReplicaStatusPercentProgress", 0)) > 0, 10, "another region shows the progress")
    done = four.cli("replica", "add", "Orders", newcomer.name)  # waits for what is under way
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stderr
    rows = four.cli_json("replica", "list", "Orders")
    assert {row["region"]: row["status"] for row in rows} == {
        region.name: "ACTIVE" for region in four.regions}
    four.wait_identical("Orders", 30)


def test_a_copy_is_given_up_and_begun_again(four):
    newcomer = four[3]
    assert four.cli("replica", "add", "Orders", newcomer.name, "--no-wait").returncode == 0
    wait_copied(newcomer, 300)
    done = four.cli("replica", "remove", "Orders", newcomer.name, "--yes")
    assert done.returncode == 0, done.stderr
    with pytest.raises(ClientError):
        newcomer.client().describe_table(TableName="Orders")
    for region in four.regions[:3]:
        wait_until(lambda: newcomer.name not in replicas(region, "Orders"), 20, "it is gone")
    four[1].client().delete_item(TableName="Orders", Key=key_of("item1999"))
    done = four.cli("replica", "add", "Orders", newcomer.name)
    assert done.returncode == 0, done.stderr
    assert "Item" not in newcomer.client().get_item(TableName="Orders", Key=key_of("item1999"))
    four.wait_identical("Orders", 30)


def test_the_last_peer_leaves_and_the_table_is_one_of_a_single_region(orders):
    fill(orders[0], "Orders", 20)
    for region in orders.regions[1:]:
        orders.wait_identical("Orders", 20)
        done = orders.cli("replica", "remove", "Orders", region.name, "--yes")
        assert done.returncode == 0, done.stderr
        with pytest.raises(ClientError):
            region.client().describe_table(TableName="Orders")
    table = orders[0].client().describe_table(TableName="Orders")["Table"]
    assert "Replicas" not in table and "GlobalTableVersion" not in table
    assert table["ItemCount"] == 20


def test_a_dead_region_is_removed_by_force_and_comes_back_fenced(orders):
    alive, other, dead = orders
    fill(alive, "Orders", 20)
    orders.wait_identical("Orders", 20)
    refused = orders.cli("replica", "remove", "Orders", dead.name, "--force", "--yes")
    assert refused.returncode == 4 and "answers" in refused.stderr  # it can be asked
    dead.replicator.kill()
    dead.client().put_item(TableName="Orders", Item={**key_of("only there"), "v": {"S": "1"}})
    dead.node.kill()
    warned = orders.cli("replica", "remove", "Orders", dead.name, "--force")
    assert warned.returncode == 2 and "gives up" in warned.stderr
    wait_until(lambda: orders.cli("replica", "remove", "Orders", dead.name, "--force",
                                  "--yes").returncode == 0, 30, "it is removed")
    wait_until(lambda: dead.name not in replicas(other, "Orders"), 20, "the others know")
    dead.node.start()
    dead.replicator.start()

    def status():
        return dead.client().describe_table(TableName="Orders")["Table"]["TableStatus"]
    wait_until(lambda: status() == "ARCHIVED", 30, "it learns that it was removed")
    with pytest.raises(ClientError) as refused:
        dead.client().put_item(TableName="Orders", Item={**key_of("late"), "v": {"S": "1"}})
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    # Its rows are kept, and nothing of them gets out.
    assert dead.client().describe_table(TableName="Orders")["Table"]["ItemCount"] == 21
    time.sleep(1)
    assert "Item" not in alive.client().get_item(TableName="Orders", Key=key_of("only there"))
    # Once its copy is given up it may come back, and is filled.
    dead.client().delete_table(TableName="Orders")
    done = orders.cli("replica", "add", "Orders", dead.name)
    assert done.returncode == 0, done.stderr
    orders.wait_identical("Orders", 30)
