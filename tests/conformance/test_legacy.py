"""The older parameters.  The Kinesis Client Library's lease table still uses them."""

import pytest

from support import L, N, S, error, get, invalid, text


@pytest.mark.parametrize("updates, changed", [
    ({"a": {"Action": "PUT", "Value": N(1)}}, {"a": N(1)}),
    ({"a": {"Value": N(1)}}, {"a": N(1)}),
    ({"n": {"Action": "ADD", "Value": N(2)}}, {"n": N(7)}),
    ({"new": {"Action": "ADD", "Value": N(2)}}, {"new": N(2)}),
    ({"n": {"Action": "DELETE"}}, {"n": None}),
    ({"ss": {"Action": "ADD", "Value": {"SS": ["c"]}}}, {"ss": {"SS": ["a", "b", "c"]}}),
    ({"ss": {"Action": "DELETE", "Value": {"SS": ["a"]}}}, {"ss": {"SS": ["b"]}}),
    ({"l": {"Action": "ADD", "Value": L(N(2))}}, {"l": L(N(1), N(2))}),
    ({"none": {"Action": "DELETE"}}, {}),
])
def test_attribute_updates(dynamodb, table_s, key, updates, changed):
    start = {**key, "n": N(5), "ss": {"SS": ["a", "b"]}, "l": L(N(1))}
    dynamodb.put_item(TableName=table_s, Item=start)
    dynamodb.update_item(TableName=table_s, Key=key, AttributeUpdates=updates)
    found = get(dynamodb, table_s, key)
    if "ss" in found:
        found["ss"]["SS"].sort()
    assert found == {n: v for n, v in {**start, **changed}.items() if v is not None}


def test_attribute_updates_delete_on_a_missing_item(dynamodb, table_s, key):
    dynamodb.update_item(TableName=table_s, Key=key, AttributeUpdates={"a": {"Action": "DELETE"}})
    assert get(dynamodb, table_s, key) is None


def test_attribute_updates_return_values(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item={**key, "n": N(5), "x": S("x")})
    answer = dynamodb.update_item(
        TableName=table_s, Key=key, AttributeUpdates={"n": {"Action": "ADD", "Value": N(1)}},
        ReturnValues="ALL_NEW")
    assert answer["Attributes"] == {**key, "n": N(6), "x": S("x")}


def test_attribute_updates_of_the_key(dynamodb, table_s, key):
    with invalid("Cannot update attribute p. This attribute is part of the key"):
        dynamodb.update_item(TableName=table_s, Key=key, AttributeUpdates={"p": {"Value": S("x")}})


ITEM = {"n": N(5), "s": S("hello"), "ss": {"SS": ["a", "b"]}, "l": L(N(1))}


@pytest.mark.parametrize("holds, expected", [
    (True, {"n": {"Value": N(5)}}), (False, {"n": {"Value": N(6)}}),
    (True, {"n": {"Exists": True, "Value": N(5)}}),
    (True, {"no": {"Exists": False}}), (False, {"n": {"Exists": False}}),
    (True, {"n": {"ComparisonOperator": "EQ", "AttributeValueList": [N("5.0")]}}),
    (True, {"n": {"ComparisonOperator": "NE", "AttributeValueList": [N(6)]}}),
    (True, {"n": {"ComparisonOperator": "LT", "AttributeValueList": [N(6)]}}),
    (True, {"n": {"ComparisonOperator": "LE", "AttributeValueList": [N(5)]}}),
    (False, {"n": {"ComparisonOperator": "GT", "AttributeValueList": [N(5)]}}),
    (True, {"n": {"ComparisonOperator": "GE", "AttributeValueList": [N(5)]}}),
    (True, {"n": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [N(1), N(5)]}}),
    (True, {"n": {"ComparisonOperator": "IN", "AttributeValueList": [N(1), N(5)]}}),
    (True, {"n": {"ComparisonOperator": "NOT_NULL"}}), (False, {"n": {"ComparisonOperator": "NULL"}}),
    (True, {"no": {"ComparisonOperator": "NULL"}}),
    (True, {"s": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [S("he")]}}),
    (True, {"s": {"ComparisonOperator": "CONTAINS", "AttributeValueList": [S("ell")]}}),
    (False, {"s": {"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": [S("ell")]}}),
    (True, {"ss": {"ComparisonOperator": "CONTAINS", "AttributeValueList": [S("a")]}}),
    (True, {"n": {"Value": N(5)}, "s": {"Value": S("hello")}}),
    (False, {"n": {"Value": N(5)}, "s": {"Value": S("no")}}),
])
def test_expected(dynamodb, table_s, key, holds, expected):
    dynamodb.put_item(TableName=table_s, Item={**key, **ITEM})
    request = dict(TableName=table_s, Key=key, Expected=expected,
                   AttributeUpdates={"seen": {"Value": N(1)}})
    if holds:
        dynamodb.update_item(**request)
    else:
        with error("ConditionalCheckFailedException", text("The conditional request failed")):
            dynamodb.update_item(**request)
    assert ("seen" in get(dynamodb, table_s, key)) == holds


def test_conditional_operator(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item={**key, **ITEM})
    expected = {"n": {"Value": N(5)}, "s": {"Value": S("no")}}
    dynamodb.put_item(TableName=table_s, Item={**key, **ITEM}, Expected=expected,
                      ConditionalOperator="OR")
    with error("ConditionalCheckFailedException"):
        dynamodb.delete_item(TableName=table_s, Key=key, Expected=expected,
                             ConditionalOperator="AND")


def test_expected_beside_an_expression(dynamodb, table_s, key):
    with invalid(text("Can not use both expression and non-expression parameters in the same request: "
                      "Non-expression parameters: {Expected} Expression parameters: "
                      "{ConditionExpression}")):
        dynamodb.put_item(TableName=table_s, Item=key, Expected={"n": {"Exists": False}},
                          ConditionExpression="attribute_exists(p)")


@pytest.mark.parametrize("expected", [
    {"n": {"Exists": True}},
    {"n": {"Exists": False, "Value": N(1)}},
    {"n": {"ComparisonOperator": "EQ"}},
    {"n": {"ComparisonOperator": "EQ", "AttributeValueList": [N(1), N(2)]}},
    {"n": {"ComparisonOperator": "NULL", "AttributeValueList": [N(1)]}},
    {"n": {"ComparisonOperator": "LIKE", "AttributeValueList": [N(1)]}},
    {"n": {"Value": N(1), "ComparisonOperator": "EQ", "AttributeValueList": [N(1)]}},
])
def test_expected_errors(dynamodb, table_s, key, expected):
    with invalid():
        dynamodb.put_item(TableName=table_s, Item=key, Expected=expected)


@pytest.fixture(scope="module")
def partition(dynamodb, table_sn):
    for c in range(10):
        dynamodb.put_item(TableName=table_sn, Item={"p": S("legacy"), "c": N(c), "odd": N(c % 2)})
    return {"p": {"ComparisonOperator": "EQ", "AttributeValueList": [S("legacy")]}}


def test_key_conditions(dynamodb, table_sn, partition):
    def keys(**more):
        return [int(i["c"]["N"]) for i in dynamodb.query(TableName=table_sn, **more)["Items"]]
    assert keys(KeyConditions=partition) == list(range(10))
    between = {"ComparisonOperator": "BETWEEN", "AttributeValueList": [N(2), N(4)]}
    assert keys(KeyConditions={**partition, "c": between}) == [2, 3, 4]
    less = {"ComparisonOperator": "LT", "AttributeValueList": [N(2)]}
    assert keys(KeyConditions={**partition, "c": less}) == [0, 1]
    odd = {"odd": {"ComparisonOperator": "EQ", "AttributeValueList": [N(1)]}}
    assert keys(KeyConditions=partition, QueryFilter=odd) == [1, 3, 5, 7, 9]


def test_key_conditions_beside_expressions(dynamodb, table_sn, partition):
    answer = dynamodb.query(TableName=table_sn, KeyConditions=partition,
                            FilterExpression="odd = :one", ProjectionExpression="c",
                            ExpressionAttributeValues={":one": N(1)})
    assert answer["Items"] == [{"c": N(c)} for c in (1, 3, 5, 7, 9)]
    with invalid("can not use both expression and non-expression parameters",
                 "Non-expression parameters: {KeyConditions} "
                 "Expression parameters: {KeyConditionExpression}"):
        dynamodb.query(TableName=table_sn, KeyConditions=partition, KeyConditionExpression="p = :p",
                       ExpressionAttributeValues={":p": S("legacy")})


@pytest.mark.parametrize("conditions, words", [
    ({"odd": {"ComparisonOperator": "EQ", "AttributeValueList": [N(0)]}},
     "can only be used when Filter or Expected has two or more elements"),
    ({}, "cannot be used without Filter or Expected"),
])
def test_a_conditional_operator_joins_two(dynamodb, table_sn, partition, conditions, words):
    with invalid(f"ConditionalOperator {words}"):
        dynamodb.scan(TableName=table_sn, ScanFilter=conditions, ConditionalOperator="AND")


def test_scan_filter(dynamodb, table_sn, partition):
    answer = dynamodb.scan(TableName=table_sn, ScanFilter={
        "p": {"ComparisonOperator": "EQ", "AttributeValueList": [S("legacy")]},
        "odd": {"ComparisonOperator": "EQ", "AttributeValueList": [N(0)]}})
    assert answer["Count"] == 5


def test_key_conditions_operator_that_queries_lack(dynamodb, table_sn, partition):
    with invalid():
        dynamodb.query(TableName=table_sn, KeyConditions={
            **partition, "c": {"ComparisonOperator": "NE", "AttributeValueList": [N(2)]}})
