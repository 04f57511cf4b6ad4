"""ReturnConsumedCapacity.  Sizes are in 4 KB steps for reads and 1 KB steps for writes."""

import pytest

from support import N, S, error, invalid, unique


def units(answer):
    return answer["ConsumedCapacity"]["CapacityUnits"]


def sized(key, kilobytes):
    """An item that lies well inside so many kilobytes."""
    return {**key, "x": S("x" * (kilobytes * 1024 - 100))}


def test_nothing_unless_asked(dynamodb, table_s, key):
    assert "ConsumedCapacity" not in dynamodb.put_item(TableName=table_s, Item=key)
    answer = dynamodb.put_item(TableName=table_s, Item=key, ReturnConsumedCapacity="NONE")
    assert "ConsumedCapacity" not in answer


def test_shape(dynamodb, table_s, key):
    answer = dynamodb.put_item(TableName=table_s, Item=key, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": table_s, "CapacityUnits": 1.0}
    answer = dynamodb.put_item(TableName=table_s, Item=key, ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == {
        "TableName": table_s, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}


def test_unknown_word(dynamodb, table_s, key):
    with invalid("returnConsumedCapacity"):
        dynamodb.put_item(TableName=table_s, Item=key, ReturnConsumedCapacity="SOME")


def test_writes(dynamodb, table_s, key):
    ask = dict(TableName=table_s, ReturnConsumedCapacity="TOTAL")
    assert units(dynamodb.put_item(Item=sized(key, 1), **ask)) == 1
    assert units(dynamodb.put_item(Item=sized(key, 3), **ask)) == 3
    # The larger of before and after counts.
    assert units(dynamodb.put_item(Item=sized(key, 1), **ask)) == 3
    assert units(dynamodb.update_item(
        Key=key, UpdateExpression="SET x = :v", ExpressionAttributeValues={":v": S("v")}, **ask)) == 1
    dynamodb.put_item(TableName=table_s, Item=sized(key, 5))
    assert units(dynamodb.update_item(Key=key, UpdateExpression="REMOVE x", **ask)) == 5
    dynamodb.put_item(TableName=table_s, Item=sized(key, 2))
    assert units(dynamodb.delete_item(Key=key, **ask)) == 2
    assert units(dynamodb.delete_item(Key=key, **ask)) == 1  # of nothing


def test_reads(dynamodb, table_s, key):
    ask = dict(TableName=table_s, Key=key, ReturnConsumedCapacity="TOTAL")
    assert units(dynamodb.get_item(**ask)) == 0.5
    assert units(dynamodb.get_item(ConsistentRead=True, **ask)) == 1
    dynamodb.put_item(TableName=table_s, Item=sized(key, 5))
    assert units(dynamodb.get_item(**ask)) == 1
    assert units(dynamodb.get_item(ConsistentRead=True, **ask)) == 2
    # A projection saves nothing.
    assert units(dynamodb.get_item(ConsistentRead=True, ProjectionExpression="p", **ask)) == 2


def test_query_and_scan(dynamodb, new_table):
    table = new_table(p="S", c="N")
    for c in range(10):
        dynamodb.put_item(TableName=table, Item={"p": S("p"), "c": N(c), "x": S("x" * 1000)})
    query = dict(TableName=table, KeyConditionExpression="p = :p", ReturnConsumedCapacity="TOTAL",
                 ExpressionAttributeValues={":p": S("p")})
    # The sum is rounded up once: about 10 KB are three steps, not ten.
    assert units(dynamodb.query(**query)) == 1.5
    assert units(dynamodb.query(ConsistentRead=True, **query)) == 3
    assert units(dynamodb.query(ConsistentRead=True, Select="COUNT", **query)) == 3
    assert units(dynamodb.scan(TableName=table, ReturnConsumedCapacity="TOTAL")) == 1.5
    assert units(dynamodb.query(**{**query, "ExpressionAttributeValues": {":p": S("none")}})) in (0, 0.5)


def test_batches(dynamodb, table_s, table_ss):
    keys = [S(unique()) for _ in range(3)]
    answer = dynamodb.batch_write_item(ReturnConsumedCapacity="TOTAL", RequestItems={
        table_s: [{"PutRequest": {"Item": sized({"p": k}, 2)}} for k in keys],
        table_ss: [{"PutRequest": {"Item": {"p": keys[0], "c": S("c")}}}]})
    consumed = {c["TableName"]: c["CapacityUnits"] for c in answer["ConsumedCapacity"]}
    assert consumed == {table_s: 6.0, table_ss: 1.0}
    answer = dynamodb.batch_get_item(ReturnConsumedCapacity="TOTAL", RequestItems={
        table_s: {"Keys": [{"p": k} for k in keys], "ConsistentRead": True}})
    assert answer["ConsumedCapacity"] == [{"TableName": table_s, "CapacityUnits": 3.0}]


@pytest.mark.parametrize("kind", ["TOTAL", "INDEXES"])
def test_failed_condition_reports_the_error_not_the_capacity(dynamodb, table_s, key, kind):
    with error("ConditionalCheckFailedException"):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="attribute_exists(p)",
                          ReturnConsumedCapacity=kind)
