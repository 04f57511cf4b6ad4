"""A region is away for a while: the others go on, and it catches up without anybody's help."""

import time

from cluster import Cluster, wait_until
from consumer import drain
from load import Load, contents, key_of


def test_sink_is_away(orders, load_seconds):
    with Load(orders, orders.regions[:2], seed=3, pause=0.002) as load:
        assert orders[2].node.stop() == 0
        orders[2].replicator.kill()
        time.sleep(load_seconds / 5)
        load.wait_progress()  # writers in the other regions do not notice
        orders[2].node.start()
        orders[2].replicator.start()
    load.settle()


def test_source_restarts_with_a_backlog(orders, load_seconds):
    # What was written while no replicator ran leaves after the restart of both daemons.
    orders[0].replicator.kill()
    with Load(orders, orders.regions[:1], seed=4, pause=0.002) as load:
        time.sleep(load_seconds / 5)
        assert orders[0].node.stop() == 0
        time.sleep(0.5)
        orders[0].node.start()
        orders[0].replicator.start()
    load.settle()


def test_frozen_sink_does_not_slow_the_others(orders):
    # SIGSTOP is a peer that accepts connections and never answers.
    source, other, frozen = orders
    with Load(orders, [source, other], seed=6, pause=0.002) as load:
        load.wait_progress()
        frozen.node.pause()
        try:
            load.wait_progress(100)
            client = source.client()
            client.put_item(TableName="Orders", Item={**key_of("meanwhile"), "v": {"S": "x"}})
            wait_until(lambda: "meanwhile" in contents(other.address("table"), "Orders"), 20,
                       "the other link goes on")
            for region in (source, other):
                row = orders.wait_ageing("Orders", region, frozen)
                assert row["pending_records"] > 0
        finally:
            frozen.node.resume()
        load.wait_progress()
    load.settle()


def test_catching_up_makes_each_stream_record_once(orders):
    # Batches that are sent again after a crash must not show twice in the sink's stream.
    orders[2].node.stop()
    client = orders[0].client()
    for number in range(300):
        client.put_item(TableName="Orders", Item={
            "customer": {"S": f"c{number % 30}"}, "order": {"S": "o"}, "v": {"S": str(number)}})
    orders[2].node.start(wait=False)
    for _ in range(4):  # interrupt the catching up from both sides
        time.sleep(0.15)
        orders[0].replicator.kill()
        orders[0].replicator.start(wait=False)
        time.sleep(0.15)
        orders[2].node.kill()
        orders[2].node.start()
    orders.wait_identical("Orders", 60)
    arn = orders[2].client().describe_table(TableName="Orders")["Table"]["LatestStreamArn"]
    records = [r for shard in drain(orders[2].client("dynamodbstreams"), arn).values() for r in shard]
    by_key = {}
    for record in records:
        by_key.setdefault(record["dynamodb"]["Keys"]["customer"]["S"], []).append(
            int(record["dynamodb"]["NewImage"]["v"]["S"]))
    assert by_key == {f"c{k}": list(range(k, 300, 30)) for k in range(30)}


def test_two_sided_isolation(orders, load_seconds):
    # Both sides of a split write; afterwards both have both.
    for region in orders:
        region.replicator.pause()
    with Load(orders, seed=5, pause=0.002) as load:
        time.sleep(load_seconds / 5)
        for region in orders:
            region.replicator.resume()
    load.settle()
