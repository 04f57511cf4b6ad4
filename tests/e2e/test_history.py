"""Positions, identities and histories: what must hold when files vanish or come back from the past."""

import json
import shutil
import time

import yaml
from botocore.exceptions import ClientError

from cluster import Process, http_get, program, wait_until
from consumer import drain
from load import Load, key_of
from ports import free_port

SHARED = [f"s{n:03}" for n in range(100)]


def put(region, names, value="x"):
    table = region.client()
    for name in names:
        table.put_item(TableName="Orders", Item={**key_of(name), "v": {"S": value}})


def stream_values(region):
    """Values by key, in stream order."""
    arn = region.client().describe_table(TableName="Orders")["Table"]["LatestStreamArn"]
    out = {}
    for records in drain(region.client("dynamodbstreams"), arn).values():
        for record in records:
            body = record["dynamodb"]
            out.setdefault(body["Keys"]["customer"]["S"], []).append(body["NewImage"]["v"]["S"])
    return out


def links_into(cluster, sink):
    rows = [row for row in cluster.cli_json("lag")["links"] if row["sink"] == sink.name]
    assert rows
    return rows


def test_lost_checkpoints_are_a_lost_hint_only(orders):
    # The sink knows the position; the source's checkpoint only saves a question.
    put(orders[0], SHARED, "one")
    orders.wait_identical("Orders", 30)
    replicator = orders[0].replicator
    replicator.kill()
    shutil.rmtree(orders[0].folder / "checkpoints")
    put(orders[0], SHARED, "two")
    replicator.start()
    orders.wait_identical("Orders", 30)
    for region in orders:
        assert stream_values(region) == {name: ["one", "two"] for name in SHARED}


def test_old_checkpoints_are_a_stale_hint_only(orders):
    # Restored from a backup, they name a position that the sinks have passed long ago.
    put(orders[0], SHARED[:10], "one")
    orders.wait_identical("Orders", 30)
    assert orders[0].replicator.stop() == 0
    saved = orders[0].folder / "saved"
    shutil.copytree(orders[0].folder / "checkpoints", saved)
    orders[0].replicator.start()
    put(orders[0], SHARED, "two")
    orders.wait_identical("Orders", 30)
    orders[0].replicator.kill()
    shutil.rmtree(orders[0].folder / "checkpoints")
    shutil.copytree(saved, orders[0].folder / "checkpoints")
    put(orders[0], SHARED, "three")
    orders[0].replicator.start()
    orders.wait_identical("Orders", 30)
    values = stream_values(orders[1])
    assert all(values[name][-2:] == ["two", "three"] and len(values[name]) <= 3 for name in SHARED)


def test_two_replicators_ship_the_same_log(orders):
    # By mistake or during a hand-over: records arrive twice and are applied once.
    settings = yaml.safe_load((orders[0].folder / "replicator.yaml").read_text())
    settings["admin"] = f"127.0.0.1:{free_port()}"
    settings["checkpoint_dir"] = str(orders[0].folder / "second")
    (orders[0].folder / "second").mkdir()
    path = orders[0].folder / "second.yaml"
    path.write_text(yaml.safe_dump(settings))
    second = Process("second replicator", [program("replicator"), "--config", str(path)],
                     orders[0].folder / "second.log", f"http://{settings['admin']}/readyz")
    try:
        second.start()
        for turn in range(5):
            put(orders[0], SHARED, str(turn))
        orders.wait_identical("Orders", 30)
        for region in orders:
            assert stream_values(region) == {n: [str(t) for t in range(5)] for n in SHARED}
    finally:
        second.kill()


def test_node_that_comes_back_from_the_past_is_noticed(orders):
    # A data directory restored from a backup has lost what others hold of it, and its replicator, which
    # was never stopped, knows of positions that the log no longer has.
    put(orders[0], ["before"])
    orders.wait_identical("Orders", 30)
    assert orders[0].node.stop() == 0
    saved = orders[0].folder / "saved"
    shutil.copytree(orders[0].data_dir, saved)
    orders[0].node.start()
    put(orders[0], ["forgotten"])
    orders.wait_identical("Orders", 30)
    assert orders[0].node.stop() == 0
    shutil.rmtree(orders[0].data_dir)
    shutil.copytree(saved, orders[0].data_dir)
    orders[0].node.start()
    wait_until(lambda: "log_lost" in orders[0].node.log(), 30, "it is noticed")

    def written():  # refused until the others have told it what it has lost
        try:
            put(orders[0], ["forgotten"], "after")  # the same key, so the same shard
            return True
        except ClientError:
            return False
    wait_until(written, 60, "it takes writes again")
    orders.wait_identical("Orders", 60)
    for region in orders:
        items = region.client().scan(TableName="Orders", ConsistentRead=True)["Items"]
        assert {item["customer"]["S"]: item["v"]["S"] for item in items} == {
            "before": "x", "forgotten": "after"}


def test_node_with_an_empty_directory_is_not_the_old_one(orders):
    # The replicators, which were never stopped, know of positions of a node that is no more.
    def node_id():
        return json.loads(http_get(orders[2].admin_url("/v1/status"))[1])["node_id"]
    put(orders[0], ["before"])
    put(orders[2], ["of the lost"])
    orders.wait_identical("Orders", 30)
    was = node_id()
    assert orders[2].node.stop() == 0
    shutil.rmtree(orders[2].data_dir)
    orders[2].node.start()
    assert node_id() != was
    put(orders[0], ["after"])
    wait_until(lambda: "region_began_anew" in orders[0].node.log() + orders[1].node.log(), 30, "it is said")

    def whole():
        try:
            items = orders[2].client().scan(TableName="Orders", ConsistentRead=True)["Items"]
        except ClientError:
            return False  # it has no table yet, or serves nobody while it is filled
        return {item["customer"]["S"] for item in items} == {"before", "of the lost", "after"}
    wait_until(whole, 60, "the others fill it")
    put(orders[2], ["of the new"])
    orders.wait_identical("Orders", 60)


def test_replica_is_removed_under_load(orders):
    # The two that stay keep every acknowledged write, whoever made it.
    with Load(orders, orders.regions[:2], pause=0.002) as load:
        time.sleep(1)
        client = orders[0].client(attempts=8)

        def removed():
            client.update_table(TableName="Orders", ReplicaUpdates=[
                {"Delete": {"RegionName": orders[2].name}}])
            return True
        wait_until(removed, 20, "removed")

        def gone():
            return orders[2].client().list_tables()["TableNames"] == []
        wait_until(gone, 20, "the copy is gone")
        time.sleep(1)
    load.settle(regions=orders.regions[:2])
