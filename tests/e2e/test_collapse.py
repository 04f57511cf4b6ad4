"""Backlog collapse: a link that catches up may leave out what a newer write replaced, where allowed."""

import pytest
import yaml

from cluster import Cluster, http_get, wait_until
from fastclient import Client
from load import key_of
from test_lag import parse_prometheus

KEYS = 12
WRITES = 3_000


@pytest.fixture
def pair(tmp_path):
    made = Cluster(tmp_path, count=2, shards=1)
    path = made[0].folder / "replicator.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["collapse_tables"] = "Carts"
    path.write_text(yaml.safe_dump(settings))
    with made:
        for name in ("Carts", "Orders"):
            made.create_global_table(name, stream="NEW_AND_OLD_IMAGES")
        yield made
        assert not made.deaths()


def write_all(region):
    client = Client(region.address("table"))
    for number in range(WRITES):
        for table in ("Carts", "Orders"):
            client.call("PutItem", {"TableName": table, "Item": {
                **key_of(f"k{number % KEYS}"), "v": {"N": str(number)}}})
    client.close()


def stream_records(region, table):
    streams = region.client("dynamodbstreams")
    arn = region.client().describe_table(TableName=table)["Table"]["LatestStreamArn"]
    count = 0
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            count += len(page["Records"])
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return count


def test_a_backlog_is_collapsed_where_allowed_and_the_saving_is_shown(pair):
    source, sink = pair
    sink.node.kill()
    write_all(source)
    # Nothing is hidden meanwhile: all of it waits.
    wait_until(lambda: pair.link("Carts", source, sink)["pending_records"] == WRITES, 15, "it waits")
    sink.node.start()
    for table in ("Carts", "Orders"):
        pair.wait_identical(table, 60)
        wait_until(lambda name=table: pair.link(name, source, sink)["pending_records"] == 0, 30,
                   "acknowledged")
    carts, orders = (pair.link(table, source, sink) for table in ("Carts", "Orders"))
    assert carts["collapsed_records"] > WRITES // 2 and carts["collapsed_bytes"] > 10_000, carts
    assert orders["collapsed_records"] == 0, orders
    # Exact streams are the default; the collapsed one lacks exactly what was left out.
    assert stream_records(sink, "Orders") == WRITES
    assert stream_records(sink, "Carts") == WRITES - carts["collapsed_records"]
    # What was left out is nobody's conflict.
    assert pair.cli_json("conflicts", "list", "Carts")["listed"] == []
    assert "of its backlog were not shipped" in pair.cli("lag").stdout
    _, samples = parse_prometheus(http_get(source.replicator_url("/metrics"))[1])
    labels = f'{{table="Carts",source="{source.name}",sink="{sink.name}"}}'
    assert samples["meridian_replication_records_collapsed_total", labels] == \
        carts["collapsed_records"]
