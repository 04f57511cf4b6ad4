"""Turning streams on and off, and what stays of the old ones."""

import re

import pytest

from stream_support import all_records, arn_of, iterator, read_shard, shards_of, wait_records
from support import N, S, invalid, table_request, unique, wait_active, wait_gone


def put(dynamodb, table, **more):
    dynamodb.put_item(TableName=table, Item={"p": S("x"), **more})


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
