"""Stream records: what they hold, and which write makes one."""

import re
import time

import pytest

from stream_support import all_records, iterator, read_shard, sequence, shards_of
from support import B, L, M, N, S, error

VIEWS = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]


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
