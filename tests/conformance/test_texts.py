"""Whole texts of request validation, as AWS was recorded to word them.

Tools and people match on these.  Each is a check before the table is even looked up.
"""

import pytest

from support import N, S, invalid, table_request, text, unique

ONE = "1 validation error detected: "


def constraint(value, member, rule):
    return text(f"{ONE}Value {value}at '{member}' failed to satisfy constraint: Member must {rule}")


@pytest.mark.parametrize("name, message", [
    (None, constraint("null ", "tableName", "not be null")),
    ("", constraint("'' ", "tableName", "have length greater than or equal to 1")),
    ("bad table!", constraint("'bad table!' ", "tableName",
                              "satisfy regular expression pattern: [a-zA-Z0-9_.-]+")),
    ("a" * 256, constraint(f"'{'a' * 256}' ", "tableName", "have length less than or equal to 255")),
])
def test_table_name(dynamodb, name, message):
    request = {"Item": {"p": S("x")}, **({} if name is None else {"TableName": name})}
    with invalid(message):
        dynamodb.put_item(**request)


def test_create_table(dynamodb):
    request = table_request("x", p="S")
    del request["TableName"]
    with invalid(text("The parameter 'TableName' is required but was not present in the request")):
        dynamodb.create_table(**request)
    with invalid(constraint("'ab' ", "tableName", "have length greater than or equal to 3")):
        dynamodb.create_table(**table_request("ab", p="S"))
    request = table_request(unique(), p="S", c="S")
    request["KeySchema"][1]["KeyType"] = "INVALID"
    with invalid(constraint("'INVALID' ", "keySchema.2.member.keyType",
                            "satisfy enum value set: [HASH, RANGE]")):
        dynamodb.create_table(**request)
    with invalid(constraint("'INVALID' ", "attributeDefinitions.1.member.attributeType",
                            "satisfy enum value set: [B, N, S]")):
        dynamodb.create_table(**table_request(unique(), p="INVALID"))
    request = table_request(unique(), p="S")
    request["KeySchema"] = [{"AttributeName": "p", "KeyType": k} for k in ("HASH", "RANGE")]
    request["KeySchema"].append({"AttributeName": "x", "KeyType": "RANGE"})
    # AWS names the elements in this form, or by a Java class and hash.
    shape = r"KeySchemaElement(\(attributeName=\w+, keyType=\w+\)|@\w+)"
    with invalid(rf"^1 validation error detected: Value '\[.*{shape}(, .*{shape}){{2}}\]' at 'keySchema' "
                 r"failed to satisfy constraint: Member must have length less than or equal to 2$"):
        dynamodb.create_table(**request)
    request["KeySchema"].pop()
    with invalid(text("Invalid KeySchema: Some index key attribute have no definition")):
        dynamodb.create_table(**request)


def test_put_item(dynamodb, table_s, key):
    with invalid(text("One or more parameter values were invalid: An string set  may not be empty")):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": {"SS": []}})
    with invalid(text("One or more parameter values were invalid: An number set  may not be empty")):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": {"NS": []}})
    with invalid(text("One or more parameter values were invalid: Input collection [a, a] contains "
                      "duplicates.")):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": {"SS": ["a", "a"]}})
    with invalid(text("ExpressionAttributeValues can only be specified when using expressions: "
                      "ConditionExpression is null")):
        dynamodb.put_item(TableName=table_s, Item=key, ExpressionAttributeValues={":v": N(1)})


def test_limits(dynamodb, table_s):
    # The two operations really do word it differently.
    with invalid(constraint("", "Limit", "have value greater than or equal to 1")):
        dynamodb.query(TableName=table_s, KeyConditionExpression="p = :p", Limit=0,
                       ExpressionAttributeValues={":p": S("x")})
    with invalid(constraint("'0' ", "limit", "have value greater than or equal to 1")):
        dynamodb.scan(TableName=table_s, Limit=0)


def test_select(dynamodb, table_s):
    with invalid(constraint("'X' ", "select", "satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, "
                            "ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]")):
        dynamodb.scan(TableName=table_s, Select="X")


def test_batches(dynamodb, table_s):
    with invalid(text("The requestItems parameter is required for BatchGetItem")):
        dynamodb.batch_get_item(RequestItems={})
    with invalid(text("The requestItems parameter is required for BatchWriteItem")):
        dynamodb.batch_write_item(RequestItems={})
    with invalid(constraint("", f"RequestItems.{table_s}.member.Keys",
                            "have length less than or equal to 100")):
        dynamodb.batch_get_item(RequestItems={
            table_s: {"Keys": [{"p": S(unique())} for _ in range(101)]}})
    with invalid(r"^1 validation error detected: .* at 'requestItems' failed to satisfy constraint: Map "
                 r"value must satisfy constraint: \[Member must have length less than or equal to 25, "
                 r"Member must have length greater than or equal to 1\]$"):
        dynamodb.batch_write_item(RequestItems={
            table_s: [{"PutRequest": {"Item": {"p": S(unique())}}} for _ in range(26)]})
