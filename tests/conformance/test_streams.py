"""The streams API: what a record holds, which write makes one, iterators, shards, errors."""

import re
import time

import pytest

from support import B, L, M, N, S, error, invalid, table_request, text, unique, wait_active, wait_gone

VIEWS = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]


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


@pytest.fixture
def watch(dynamodb, streams, new_table):
    """A fresh table with a stream, and a function that answers its records so far."""
    class Watch:
        def __init__(self, view="NEW_AND_OLD_IMAGES", **keys):
            self.table = new_table(stream=view, **(keys or {"p": "S"}))
            self.arn = arn_of(dynamodb, self.table)

        def records(self, count):
            """The first `count` records, and there are no more.  One key, so one order."""
            return sorted(wait_records(streams, self.arn, count), key=sequence)

    return Watch


# ------------------------------------------------------------------------------- the description


def test_create_table_answers_with_the_stream(dynamodb):
    name = unique()
    answer = dynamodb.create_table(**table_request(name, "NEW_IMAGE", p="S"))["TableDescription"]
    assert answer["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    label = answer["LatestStreamLabel"]
    # Consumers turn ":" into "_" and back, so the label may hold no underscore and no zone.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", label)
    assert answer["LatestStreamArn"] == f"{answer['TableArn']}/stream/{label}"
    wait_active(dynamodb, name)
    dynamodb.delete_table(TableName=name)


def test_stream_enabled_false_is_no_stream(dynamodb):
    name = unique()
    answer = dynamodb.create_table(**table_request(name, p="S"),
                                   StreamSpecification={"StreamEnabled": False})["TableDescription"]
    assert "LatestStreamArn" not in answer
    wait_active(dynamodb, name)
    dynamodb.delete_table(TableName=name)


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


# ----------------------------------------------------------------------------------- the records


def test_record_envelope(dynamodb, streams, watch, endpoint):
    w = watch()
    before = time.time()
    dynamodb.put_item(TableName=w.table, Item={"p": S("x")})
    record, = w.records(1)
    assert re.fullmatch("[0-9a-f]{32}", record["eventID"])
    assert record["eventVersion"] == "1.1" and record["eventSource"] == "aws:dynamodb"
    assert record["awsRegion"] == endpoint.region and record["eventName"] == "INSERT"
    assert "userIdentity" not in record
    body = record["dynamodb"]
    assert re.fullmatch(r"\d{21,40}", body["SequenceNumber"])
    assert body["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert abs(body["ApproximateCreationDateTime"].timestamp() - before) < 5


@pytest.mark.parametrize("view", VIEWS)
def test_view_types(dynamodb, watch, view):
    # What each view type shows of an insert, a change and a removal.
    w = watch(view, p="S", c="N")
    key = {"p": S("x"), "c": N(1)}
    first, second = {**key, "v": S("1")}, {**key, "v": S("2"), "w": L(N(1))}
    dynamodb.put_item(TableName=w.table, Item=first)
    dynamodb.put_item(TableName=w.table, Item=second)
    dynamodb.delete_item(TableName=w.table, Key=key)
    records = w.records(3)
    assert [r["eventName"] for r in records] == ["INSERT", "MODIFY", "REMOVE"]
    for record, old, new in zip(records, (None, first, second), (first, second, None)):
        body = record["dynamodb"]
        assert body["Keys"] == key and body["StreamViewType"] == view
        assert body.get("NewImage") == (new if view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES") else None)
        assert body.get("OldImage") == (old if view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES") else None)


@pytest.mark.parametrize("view, key, item, size", [
    # Recorded from AWS: keys plus the images that the record holds, names and values in UTF-8.
    ("NEW_AND_OLD_IMAGES", "id", {"id": S("Fred")}, 12),
    ("KEYS_ONLY", "Username", {"Username": S("Fred"), "more": S("not counted")}, 12),
    ("OLD_IMAGE", "id", {"id": S("Fred"), "more": S("not counted")}, 6),
    ("NEW_IMAGE", "id", {"id": S("Fred"), "b": B(b"123456")}, 6 + 6 + 7),
])
def test_size_bytes(dynamodb, watch, view, key, item, size):
    w = watch(view, **{key: "S"})
    dynamodb.put_item(TableName=w.table, Item=item)
    assert w.records(1)[0]["dynamodb"]["SizeBytes"] == size


def test_size_bytes_of_a_change(dynamodb, watch):
    w = watch()
    dynamodb.put_item(TableName=w.table, Item={"p": S("x"), "v": S("one")})
    dynamodb.put_item(TableName=w.table, Item={"p": S("x"), "v": S("three")})
    dynamodb.delete_item(TableName=w.table, Key={"p": S("x")})
    assert [r["dynamodb"]["SizeBytes"] for r in w.records(3)] == [
        2 + (2 + 4), 2 + (2 + 4) + (2 + 6), 2 + (2 + 6)]


def test_all_types_in_images(dynamodb, watch):
    w = watch()
    item = {"p": S("x"), "n": N("-1.5"), "b": B(b"\x00\xff"), "t": {"BOOL": False},
            "z": {"NULL": True}, "l": L(M(a=N(1))), "ss": {"SS": ["a"]}, "bs": {"BS": [b"\x01"]}}
    dynamodb.put_item(TableName=w.table, Item=item)
    assert w.records(1)[0]["dynamodb"]["NewImage"] == item


# ------------------------------------------------------------------- which write makes which record


def put(dynamodb, table, **more):
    dynamodb.put_item(TableName=table, Item={"p": S("x"), **more})


def update(dynamodb, table, expression, **values):
    dynamodb.update_item(TableName=table, Key={"p": S("x")}, UpdateExpression=expression, **(
        {"ExpressionAttributeValues": {f":{n}": v for n, v in values.items()}} if values else {}))


def test_equal_writes_make_no_record(dynamodb, watch):
    w = watch()
    put(dynamodb, w.table, v=M(a=N(1), b=N(2)), s={"SS": ["a", "b"]}, n=N("1.0"))
    # Equal by value: another order of a map or set, another spelling of a number.
    put(dynamodb, w.table, s={"SS": ["b", "a"]}, n=N(1), v=M(b=N(2), a=N("1.00")))
    update(dynamodb, w.table, "SET n = :n", n=N("1"))
    update(dynamodb, w.table, "REMOVE nothing_here")
    dynamodb.update_item(TableName=w.table, Key={"p": S("x")})
    dynamodb.batch_write_item(RequestItems={w.table: [{"PutRequest": {"Item": {
        "p": S("x"), "v": M(a=N(1), b=N(2)), "s": {"SS": ["a", "b"]}, "n": N(1)}}}]})
    put(dynamodb, w.table, last=N(1))
    assert [r["eventName"] for r in w.records(2)] == ["INSERT", "MODIFY"]


def test_delete_of_nothing_makes_no_record(dynamodb, watch):
    w = watch()
    dynamodb.delete_item(TableName=w.table, Key={"p": S("x")})
    dynamodb.batch_write_item(RequestItems={w.table: [{"DeleteRequest": {"Key": {"p": S("x")}}}]})
    put(dynamodb, w.table)
    dynamodb.delete_item(TableName=w.table, Key={"p": S("x")})
    dynamodb.delete_item(TableName=w.table, Key={"p": S("x")})
    assert [r["eventName"] for r in w.records(2)] == ["INSERT", "REMOVE"]


def test_update_without_expression_inserts_the_key(dynamodb, watch):
    w = watch()
    dynamodb.update_item(TableName=w.table, Key={"p": S("x")})
    update(dynamodb, w.table, "SET v = :v", v=N(1))
    first, second = w.records(2)
    assert first["eventName"] == "INSERT" and first["dynamodb"]["NewImage"] == {"p": S("x")}
    assert second["eventName"] == "MODIFY" and second["dynamodb"]["OldImage"] == {"p": S("x")}


def test_removal_of_all_attributes_is_a_change(dynamodb, watch):
    w = watch()
    put(dynamodb, w.table, v=N(1))
    update(dynamodb, w.table, "REMOVE v")
    record = w.records(2)[1]
    assert record["eventName"] == "MODIFY" and record["dynamodb"]["NewImage"] == {"p": S("x")}


def test_image_is_the_whole_item(dynamodb, watch):
    w = watch()
    put(dynamodb, w.table, a=N(1), b=N(2))
    update(dynamodb, w.table, "SET a = :v", v=N(3))
    body = w.records(2)[1]["dynamodb"]
    assert body["OldImage"] == {"p": S("x"), "a": N(1), "b": N(2)}
    assert body["NewImage"] == {"p": S("x"), "a": N(3), "b": N(2)}


def test_failed_condition_makes_no_record(dynamodb, watch):
    w = watch()
    put(dynamodb, w.table)
    with error("ConditionalCheckFailedException"):
        dynamodb.put_item(TableName=w.table, Item={"p": S("x"), "v": N(1)},
                          ConditionExpression="attribute_not_exists(p)")
    w.records(1)


def test_batch_write_makes_records(dynamodb, watch):
    w = watch()
    dynamodb.batch_write_item(RequestItems={w.table: [
        {"PutRequest": {"Item": {"p": S(f"k{i}")}}} for i in range(25)]})
    assert sorted(r["dynamodb"]["Keys"]["p"]["S"] for r in w.records(25)) == sorted(
        f"k{i}" for i in range(25))


def test_order_per_key_and_ids(dynamodb, streams, watch):
    # Exactly once, in order per key; a key stays in its shard.
    w = watch()
    for i in range(20):
        for k in range(5):
            dynamodb.put_item(TableName=w.table, Item={"p": S(f"k{k}"), "i": N(i)})
    seen, places = {}, {}
    for shard in shards_of(streams, w.arn):
        records = read_shard(streams, iterator(streams, w.arn, shard["ShardId"]), limit=7, polls=1)
        numbers = [sequence(r) for r in records]
        assert numbers == sorted(set(numbers))
        for r in records:
            k = r["dynamodb"]["Keys"]["p"]["S"]
            seen.setdefault(k, []).append(int(r["dynamodb"]["NewImage"]["i"]["N"]))
            places.setdefault(k, set()).add(shard["ShardId"])
    assert seen == {f"k{k}": list(range(20)) for k in range(5)}
    assert all(len(p) == 1 for p in places.values())
    ids = [r["eventID"] for r in all_records(streams, w.arn)]
    assert len(ids) == len(set(ids)) == 100


# --------------------------------------------------------------------------------- the iterators


@pytest.fixture
def written(dynamodb, streams, watch):
    """A stream with ten records of one key, its shard, and the records."""
    w = watch("NEW_IMAGE")
    for i in range(10):
        dynamodb.put_item(TableName=w.table, Item={"p": S("x"), "i": N(i)})
    records = w.records(10)
    for shard in shards_of(streams, w.arn):
        if read_shard(streams, iterator(streams, w.arn, shard["ShardId"]), polls=1):
            w.shard = shard["ShardId"]
    w.numbers = [r["dynamodb"]["SequenceNumber"] for r in records]
    return w


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


# ---------------------------------------------------------------------- enabling and disabling


def disable(dynamodb, table):
    answer = dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    wait_active(dynamodb, table)
    return answer["TableDescription"]


def enable(dynamodb, table, view="NEW_AND_OLD_IMAGES"):
    answer = dynamodb.update_table(TableName=table, StreamSpecification={
        "StreamEnabled": True, "StreamViewType": view})
    wait_active(dynamodb, table)
    return answer["TableDescription"]


def test_enable_later(dynamodb, streams, new_table):
    table = new_table(p="S")
    put(dynamodb, table, v=N(1))
    answer = enable(dynamodb, table)
    assert answer["LatestStreamArn"] and answer["StreamSpecification"]["StreamEnabled"] is True
    # Nothing from before is filled in, but the old image of the next change is known.
    put(dynamodb, table, v=N(2))
    record, = wait_records(streams, arn_of(dynamodb, table), 1)
    assert record["eventName"] == "MODIFY"
    assert record["dynamodb"]["OldImage"] == {"p": S("x"), "v": N(1)}


def test_disabled_stream_stays_readable_and_ends(dynamodb, streams, watch):
    w = watch()
    put(dynamodb, w.table, v=N(1))
    disable(dynamodb, w.table)
    put(dynamodb, w.table, v=N(2))  # after the end: in no stream
    d = streams.describe_stream(StreamArn=w.arn)["StreamDescription"]
    assert d["StreamStatus"] == "DISABLED"
    described = dynamodb.describe_table(TableName=w.table)["Table"]
    assert "StreamSpecification" not in described
    found = []
    for shard in shards_of(streams, w.arn):
        assert shard["SequenceNumberRange"]["EndingSequenceNumber"]
        position = iterator(streams, w.arn, shard["ShardId"])
        for _ in range(10):
            answer = streams.get_records(ShardIterator=position)
            found += answer["Records"]
            # At the end of a closed shard the member is absent: neither null nor empty.
            if "NextShardIterator" not in answer:
                break
            position = answer["NextShardIterator"]
        else:
            raise AssertionError("the shard does not end")
    assert len(found) == 1
    assert w.arn in [s["StreamArn"] for s in streams.list_streams(TableName=w.table)["Streams"]]


def test_closed_shard_bounds_its_records(dynamodb, streams, written):
    disable(dynamodb, written.table)
    shard, = [s for s in shards_of(streams, written.arn) if s["ShardId"] == written.shard]
    span = {n: int(v) for n, v in shard["SequenceNumberRange"].items()}
    assert span["StartingSequenceNumber"] <= int(written.numbers[0])
    assert span["EndingSequenceNumber"] >= int(written.numbers[-1])
    end = iterator(streams, written.arn, written.shard, "AFTER_SEQUENCE_NUMBER",
                   SequenceNumber=written.numbers[-1])
    assert read_shard(streams, end) == []


def test_new_stream_after_a_disabled_one(dynamodb, streams, watch):
    w = watch("KEYS_ONLY")
    put(dynamodb, w.table, v=N(1))
    disable(dynamodb, w.table)
    enable(dynamodb, w.table, "NEW_IMAGE")
    new = arn_of(dynamodb, w.table)
    assert new != w.arn
    put(dynamodb, w.table, v=N(2))
    assert wait_records(streams, new, 1)[0]["dynamodb"]["NewImage"]["v"] == N(2)
    assert len(all_records(streams, w.arn)) == 1
    listed = [s["StreamArn"] for s in streams.list_streams(TableName=w.table)["Streams"]]
    assert sorted(listed) == sorted([w.arn, new])


def test_enable_twice_and_disable_nothing(dynamodb, watch, new_table):
    w = watch("KEYS_ONLY")
    for view in ("KEYS_ONLY", "NEW_IMAGE"):
        with invalid("already.*enabled"):
            enable(dynamodb, w.table, view)
    with invalid("stream"):
        disable(dynamodb, new_table(p="S"))


def test_stream_of_a_deleted_table_stays_readable(dynamodb, streams, watch):
    # 24 hours on AWS.  A consumer can finish what was written before the table went.
    w = watch()
    put(dynamodb, w.table, v=N(1))
    w.records(1)
    dynamodb.delete_table(TableName=w.table)
    wait_gone(dynamodb, w.table)
    try:
        status = streams.describe_stream(StreamArn=w.arn)["StreamDescription"]["StreamStatus"]
        assert status in ("DISABLED", "DISABLING")
    except streams.exceptions.ResourceNotFoundException:
        pytest.skip("streams go with their table here (docs/COMPATIBILITY.md)")


@pytest.mark.parametrize("specification", [
    {"StreamEnabled": True}, {"StreamEnabled": True, "StreamViewType": "ALL"},
    {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}])
def test_bad_specifications(dynamodb, specification):
    with invalid():
        dynamodb.create_table(**table_request(unique(), p="S"), StreamSpecification=specification)


# ------------------------------------------------------------------------------------- the errors


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
