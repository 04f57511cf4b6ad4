"""Reading streams: their description, shards, iterators, errors."""

import re

from stream_support import iterator, read_shard, shards_of
from support import N, S, error, invalid, text, unique


def test_describe_stream(dynamodb, streams, watch):
    w = watch("KEYS_ONLY", p="S", c="N")
    d = streams.describe_stream(StreamArn=w.arn)["StreamDescription"]
    assert d["StreamArn"] == w.arn and d["TableName"] == w.table
    assert d["StreamStatus"] == "ENABLED" and d["StreamViewType"] == "KEYS_ONLY"
    assert d["StreamLabel"] == w.arn.rpartition("/")[2] and d["CreationRequestDateTime"]
    assert d["KeySchema"] == [{"AttributeName": "p", "KeyType": "HASH"},
                              {"AttributeName": "c", "KeyType": "RANGE"}]
    assert d["Shards"]


def test_shards(streams, watch):
    shards = shards_of(streams, watch().arn)
    ids = [s["ShardId"] for s in shards]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    for shard in shards:
        assert re.fullmatch(r"shardId-\d{20}-[0-9a-f]{8,36}", shard["ShardId"])
        # The Kinesis client sorts leases by this number, so every shard must have it.
        assert re.fullmatch(r"\d{21,40}", shard["SequenceNumberRange"]["StartingSequenceNumber"])
        assert "EndingSequenceNumber" not in shard["SequenceNumberRange"]


def test_describe_stream_pages(streams, watch):
    w = watch()
    ids = [s["ShardId"] for s in shards_of(streams, w.arn)]
    seen, start = [], {}
    while True:
        page = streams.describe_stream(StreamArn=w.arn, Limit=1, **start)["StreamDescription"]
        seen += [s["ShardId"] for s in page["Shards"]]
        if "LastEvaluatedShardId" not in page:
            break
        start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}
        assert len(seen) <= len(ids)
    assert seen == ids
    # From the last shard on there is nothing, and no marker: consumers loop until it is gone.
    page = streams.describe_stream(StreamArn=w.arn, ExclusiveStartShardId=ids[-1])
    assert page["StreamDescription"]["Shards"] == []
    assert "LastEvaluatedShardId" not in page["StreamDescription"]


def test_list_streams(dynamodb, streams, watch):
    mine = [watch() for _ in range(3)]
    found = streams.list_streams(TableName=mine[0].table)["Streams"]
    assert found == [{"StreamArn": mine[0].arn, "TableName": mine[0].table,
                      "StreamLabel": mine[0].arn.rpartition("/")[2]}]
    seen, start = [], {}
    while True:
        page = streams.list_streams(Limit=1, **start)
        seen += [s["StreamArn"] for s in page["Streams"]]
        if "LastEvaluatedStreamArn" not in page:
            break
        start = {"ExclusiveStartStreamArn": page["LastEvaluatedStreamArn"]}
    assert set(w.arn for w in mine) <= set(seen) and len(seen) == len(set(seen))
    assert streams.list_streams(TableName=unique())["Streams"] == []


def values(records):
    return [int(r["dynamodb"]["NewImage"]["i"]["N"]) for r in records]


def test_iterator_types(dynamodb, streams, written):
    w = written
    def read(kind, **more):
        return values(read_shard(streams, iterator(streams, w.arn, w.shard, kind, **more)))
    assert read("TRIM_HORIZON") == list(range(10))
    assert read("AT_SEQUENCE_NUMBER", SequenceNumber=w.numbers[4]) == list(range(4, 10))
    assert read("AFTER_SEQUENCE_NUMBER", SequenceNumber=w.numbers[4]) == list(range(5, 10))
    assert read("AFTER_SEQUENCE_NUMBER", SequenceNumber=w.numbers[9]) == []
    latest = iterator(streams, w.arn, w.shard, "LATEST")
    assert read_shard(streams, latest) == []
    # LATEST is exact here: what is written from now on, and all of it.
    dynamodb.put_item(TableName=w.table, Item={"p": S("x"), "i": N(10)})
    assert values(read_shard(streams, latest)) == [10]


def test_iterators_can_be_used_again(streams, written):
    # A consumer that crashes asks with its old iterator.
    position = iterator(streams, written.arn, written.shard)
    first = streams.get_records(ShardIterator=position, Limit=3)
    again = streams.get_records(ShardIterator=position, Limit=3)
    assert values(first["Records"]) == values(again["Records"]) == [0, 1, 2]
    assert values(read_shard(streams, first["NextShardIterator"], limit=2)) == list(range(3, 10))


def test_empty_poll(streams, watch):
    w = watch()
    for shard in shards_of(streams, w.arn):
        for kind in ("TRIM_HORIZON", "LATEST"):
            answer = streams.get_records(
                ShardIterator=iterator(streams, w.arn, shard["ShardId"], kind))
            assert answer["Records"] == [] and answer["NextShardIterator"]


def test_page_of_records_ends_at_one_megabyte(dynamodb, streams, watch):
    w = watch("NEW_IMAGE")
    for i in range(5):
        dynamodb.put_item(TableName=w.table, Item={"p": S("x"), "i": N(i), "z": S("z" * 390_000)})
    for shard in shards_of(streams, w.arn):
        position, seen = iterator(streams, w.arn, shard["ShardId"]), []
        for _ in range(8):
            answer = streams.get_records(ShardIterator=position)
            assert len(answer["Records"]) <= 3
            seen += values(answer["Records"])
            position = answer["NextShardIterator"]
        if seen:
            assert seen == [0, 1, 2, 3, 4]


def test_stream_errors(streams, watch):
    w = watch()
    unknown = w.arn[:-3] + "123" if not w.arn.endswith("123") else w.arn[:-3] + "321"
    with error("ResourceNotFoundException",
               text(f"Requested resource not found: Stream: {unknown} not found")):
        streams.describe_stream(StreamArn=unknown)
    with invalid():
        streams.describe_stream(StreamArn="arn:aws:dynamodb:malformed-and-long-enough-to-pass")
    with invalid():
        streams.get_shard_iterator(StreamArn="not an arn, but as long as one must be at least",
                                   ShardId="shardId-00000001414576573621-f55eea83",
                                   ShardIteratorType="LATEST")
    # Unknown, so it sorts somewhere; AWS answers with nothing rather than an error.
    d = streams.describe_stream(StreamArn=w.arn,
                                ExclusiveStartShardId="shardId-99999999999999999999-ffffffff")
    assert d["StreamDescription"]["Shards"] == []
    for limit in (0, -1, 101):
        with invalid("limit"):
            streams.list_streams(Limit=limit)
    with invalid():
        streams.list_streams(ExclusiveStartStreamArn="garbage that is no stream at all, surely")


def test_iterator_errors(streams, watch):
    w = watch()
    shard = shards_of(streams, w.arn)[0]
    start = shard["SequenceNumberRange"]["StartingSequenceNumber"]
    with error("ResourceNotFoundException"):
        iterator(streams, w.arn, "shardId-00000000000000000000-00000000")
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        with invalid():
            iterator(streams, w.arn, shard["ShardId"], kind)
        with invalid():
            iterator(streams, w.arn, shard["ShardId"], kind, SequenceNumber="no number at all here")
    for kind in ("LATEST", "TRIM_HORIZON"):
        with invalid():
            iterator(streams, w.arn, shard["ShardId"], kind, SequenceNumber=start)
    with invalid():
        iterator(streams, w.arn, shard["ShardId"], "SOMEWHERE")


def test_get_records_errors(streams, written):
    for garbage in ("garbage", "x" * 100, written.arn + "|1|AAAA", "||"):
        with invalid():
            streams.get_records(ShardIterator=garbage)
    position = iterator(streams, written.arn, written.shard)
    for limit in (0, -1, 1001):
        with invalid("limit"):
            streams.get_records(ShardIterator=position, Limit=limit)
    # An iterator that somebody changed must not read another place.
    for change in range(0, len(position), 7):
        forged = position[:change] + chr(ord(position[change]) ^ 1) + position[change + 1:]
        try:
            answer = streams.get_records(ShardIterator=forged)
            assert isinstance(answer["Records"], list)
        except streams.exceptions.ClientError as failure:
            assert failure.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_child_shards_filter(streams, watch):
    # Newer Kinesis clients ask for the children of a shard that they have finished.
    w = watch()
    shard = shards_of(streams, w.arn)[0]["ShardId"]
    d = streams.describe_stream(StreamArn=w.arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": shard})
    assert d["StreamDescription"]["Shards"] == []
    with invalid():
        streams.describe_stream(StreamArn=w.arn, ShardFilter={"Type": "OTHER", "ShardId": shard})
