"""Helpers for reading streams in tests."""

import time


def arn_of(dynamodb, table):
    return dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]


def shards_of(streams, arn):
    """All shards, page by page, as the Kinesis adapter asks for them."""
    shards, start = [], {}
    while True:
        page = streams.describe_stream(StreamArn=arn, **start)["StreamDescription"]
        shards += page["Shards"]
        if "LastEvaluatedShardId" not in page:
            return shards
        assert page["LastEvaluatedShardId"] == page["Shards"][-1]["ShardId"]
        start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}


def iterator(streams, arn, shard, kind="TRIM_HORIZON", **more):
    return streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]


def read_shard(streams, position, limit=None, polls=3):
    """Records from an iterator on, until some polls bring nothing or the shard ends."""
    records, empty = [], 0
    while position and empty < polls:
        answer = streams.get_records(ShardIterator=position, **({"Limit": limit} if limit else {}))
        records += answer["Records"]
        empty = 0 if answer["Records"] else empty + 1
        position = answer.get("NextShardIterator")
    return records


def all_records(streams, arn):
    records = []
    for shard in shards_of(streams, arn):
        records += read_shard(streams, iterator(streams, arn, shard["ShardId"]), polls=1)
    return records


def sequence(record):
    return int(record["dynamodb"]["SequenceNumber"])


def wait_records(streams, arn, count, read=all_records):
    """AWS publishes with a delay; so may we.  More than asked for is a failure as well."""
    for _ in range(100):
        records = read(streams, arn)
        if len(records) >= count:
            break
        time.sleep(0.05)
    assert len(records) == count, [r["eventName"] for r in records]
    return records


class Watch:
    """A fresh table with a stream, and its records so far."""

    def __init__(self, dynamodb, streams, table):
        self.streams = streams
        self.table = table
        self.arn = arn_of(dynamodb, table)

    def records(self, count):
        """The first `count` records, and there are no more.  One key, so one order."""
        return sorted(wait_records(self.streams, self.arn, count), key=sequence)
