"""CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable, DescribeLimits, DescribeEndpoints."""

import re

import pytest

from support import S, error, invalid, table_request, text, unique, wait_active, wait_gone


def test_create_table_answers_with_the_description(dynamodb, new_table):
    # Tools read the answer of CreateTable instead of asking again, so it must be whole.
    name = unique()
    answer = dynamodb.create_table(**table_request(name, p="S", c="N"))["TableDescription"]
    try:
        assert answer["TableName"] == name
        assert answer["TableStatus"] in ("CREATING", "ACTIVE")
        assert answer["KeySchema"] == [{"AttributeName": "p", "KeyType": "HASH"},
                                       {"AttributeName": "c", "KeyType": "RANGE"}]
        assert sorted(answer["AttributeDefinitions"], key=str) == sorted(
            [{"AttributeName": "p", "AttributeType": "S"},
             {"AttributeName": "c", "AttributeType": "N"}], key=str)
        assert re.fullmatch(rf"arn:aws:dynamodb:[-a-z0-9]+:\d{{12}}:table/{name}", answer["TableArn"])
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer["TableId"])
        assert answer["ItemCount"] == 0 and answer["TableSizeBytes"] == 0
        assert answer["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        # AWS reports zeros for an on-demand table, and SDK code reads the numbers unguarded.
        assert answer["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
        assert answer["ProvisionedThroughput"]["WriteCapacityUnits"] == 0
        assert answer["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 0
        assert answer["CreationDateTime"]
    finally:
        wait_active(dynamodb, name)
        dynamodb.delete_table(TableName=name)


def test_describe_table_of_a_plain_table_has_no_global_members(dynamodb, table_s):
    # A table that is not global has neither key at all, and clients test for presence.
    described = dynamodb.describe_table(TableName=table_s)["Table"]
    assert described["TableStatus"] == "ACTIVE"
    assert "Replicas" not in described and "GlobalTableVersion" not in described
    assert "StreamSpecification" not in described and "LatestStreamArn" not in described


def test_create_table_with_provisioned_throughput(dynamodb, new_table):
    name = unique()
    request = table_request(name, p="S")
    request["BillingMode"] = "PROVISIONED"
    request["ProvisionedThroughput"] = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    answer = dynamodb.create_table(**request)["TableDescription"]
    assert answer["ProvisionedThroughput"]["ReadCapacityUnits"] == 3
    assert answer["ProvisionedThroughput"]["WriteCapacityUnits"] == 4
    wait_active(dynamodb, name)
    dynamodb.delete_table(TableName=name)


def test_create_table_twice(dynamodb, table_s):
    with error("ResourceInUseException", text(f"Table already exists: {table_s}")):
        dynamodb.create_table(**table_request(table_s, p="S"))


@pytest.mark.parametrize("name", ["ab", "x" * 256, "has space", "sla/sh", ""])
def test_create_table_bad_names(dynamodb, name):
    with invalid():
        dynamodb.create_table(**table_request(name, p="S"))


def test_create_table_accepts_every_legal_character(dynamodb):
    name = unique("A.b_c-9")
    dynamodb.create_table(**table_request(name, p="S"))
    wait_active(dynamodb, name)
    dynamodb.delete_table(TableName=name)


def test_create_table_key_not_defined(dynamodb):
    request = table_request(unique(), p="S")
    request["AttributeDefinitions"] = [{"AttributeName": "other", "AttributeType": "S"}]
    with invalid("attribute"):
        dynamodb.create_table(**request)


def test_create_table_definition_without_key(dynamodb):
    # AWS insists that every definition is used by a key.
    request = table_request(unique(), p="S")
    request["AttributeDefinitions"].append({"AttributeName": "other", "AttributeType": "S"})
    with invalid("Number of attributes in KeySchema does not exactly match number of attributes "
                 "defined in AttributeDefinitions"):
        dynamodb.create_table(**request)


def test_create_table_same_attribute_twice_as_key(dynamodb):
    request = table_request(unique(), p="S")
    request["KeySchema"] = [{"AttributeName": "p", "KeyType": "HASH"},
                            {"AttributeName": "p", "KeyType": "RANGE"}]
    with invalid():
        dynamodb.create_table(**request)


@pytest.mark.parametrize("kinds", [["RANGE"], ["RANGE", "HASH"], ["HASH", "HASH"]])
def test_create_table_key_schema_order(dynamodb, kinds):
    request = table_request(unique(), p="S", c="S")
    names = ["p", "c"][:len(kinds)]
    request["AttributeDefinitions"] = request["AttributeDefinitions"][:len(kinds)]
    request["KeySchema"] = [{"AttributeName": n, "KeyType": k} for n, k in zip(names, kinds)]
    with invalid():
        dynamodb.create_table(**request)


def test_create_table_three_keys(dynamodb):
    request = table_request(unique(), p="S", c="S")
    request["KeySchema"].append({"AttributeName": "x", "KeyType": "RANGE"})
    with invalid():
        dynamodb.create_table(**request)


@pytest.mark.parametrize("kind", ["BOOL", "SS", "M", "x"])
def test_create_table_key_type(dynamodb, kind):
    with invalid():
        dynamodb.create_table(**table_request(unique(), p=kind))


def test_create_table_throughput_must_fit_billing_mode(dynamodb):
    request = table_request(unique(), p="S")
    request["ProvisionedThroughput"] = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    with invalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode "
                 "is PAY_PER_REQUEST"):
        dynamodb.create_table(**request)
    request = table_request(unique(), p="S")
    request["BillingMode"] = "PROVISIONED"
    with invalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode "
                 "is PROVISIONED"):
        dynamodb.create_table(**request)


def test_describe_table_unknown(dynamodb):
    name = unique()
    with error("ResourceNotFoundException",
               text(f"Requested resource not found: Table: {name} not found")):
        dynamodb.describe_table(TableName=name)


def test_item_count_follows_the_table(dynamodb, new_table):
    # AWS refreshes the figure every six hours; an exact one is allowed, a wrong one is not.
    table = new_table(p="S")
    for number in range(3):
        dynamodb.put_item(TableName=table, Item={"p": S(str(number))})
    assert dynamodb.describe_table(TableName=table)["Table"]["ItemCount"] in (0, 3)


def test_list_tables_pages_in_order(dynamodb, new_table):
    mine = sorted(new_table(p="S") for _ in range(3))
    seen, start = [], {}
    while True:
        page = dynamodb.list_tables(Limit=1, **start)
        assert len(page["TableNames"]) <= 1
        seen += page["TableNames"]
        if "LastEvaluatedTableName" not in page:
            break
        start = {"ExclusiveStartTableName": page["LastEvaluatedTableName"]}
    assert [n for n in seen if n in mine] == mine
    assert seen == sorted(seen)
    assert set(mine) <= set(dynamodb.list_tables()["TableNames"])


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_list_tables_limit(dynamodb, limit):
    with invalid("limit"):
        dynamodb.list_tables(Limit=limit)


def test_delete_table(dynamodb, new_table):
    name = new_table(p="S")
    dynamodb.put_item(TableName=name, Item={"p": S("x")})
    answer = dynamodb.delete_table(TableName=name)["TableDescription"]
    assert answer["TableName"] == name and answer["TableStatus"] == "DELETING"
    wait_gone(dynamodb, name)
    with error("ResourceNotFoundException"):
        dynamodb.put_item(TableName=name, Item={"p": S("x")})
    # A table made again under the same name is another, empty table.
    dynamodb.create_table(**table_request(name, p="S"))
    wait_active(dynamodb, name)
    assert "Item" not in dynamodb.get_item(TableName=name, Key={"p": S("x")})


def test_delete_table_unknown(dynamodb):
    name = unique()
    with error("ResourceNotFoundException",
               text(f"Requested resource not found: Table: {name} not found")):
        dynamodb.delete_table(TableName=name)


def test_deletion_protection(dynamodb):
    # The Kinesis Client Library creates its tables with this.
    name = unique()
    dynamodb.create_table(**table_request(name, p="S"), DeletionProtectionEnabled=True)
    wait_active(dynamodb, name)
    assert dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"] is True
    with invalid("protect"):
        dynamodb.delete_table(TableName=name)
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    wait_active(dynamodb, name)
    dynamodb.delete_table(TableName=name)
    wait_gone(dynamodb, name)


def test_update_table_billing_mode(dynamodb, new_table):
    name = new_table(p="S")
    dynamodb.update_table(TableName=name, BillingMode="PROVISIONED",
                          ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6})
    wait_active(dynamodb, name)
    described = dynamodb.describe_table(TableName=name)["Table"]
    assert described["ProvisionedThroughput"]["WriteCapacityUnits"] == 6


def test_update_table_throughput_must_change(dynamodb, new_table):
    name = new_table(p="S")
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
    dynamodb.update_table(TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput=units)
    wait_active(dynamodb, name)
    with invalid("The provisioned throughput for the table will not change. The requested value equals "
                 "the current value. Current ReadCapacityUnits provisioned for the table: 5. Requested "
                 "ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the table: 6. "
                 "Requested WriteCapacityUnits: 6."):
        dynamodb.update_table(TableName=name, ProvisionedThroughput=units)


def test_update_table_needs_something_to_do(dynamodb, table_s):
    with invalid("At least one of"):
        dynamodb.update_table(TableName=table_s)


def test_update_table_unknown(dynamodb):
    name = unique()
    with error("ResourceNotFoundException", name):
        dynamodb.update_table(
            TableName=name,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})


def test_update_table_names_the_local_region(dynamodb, table_s, endpoint):
    with invalid(text("Cannot add, delete, or update the local region through ReplicaUpdates. Use "
                      "CreateTable, DeleteTable, or UpdateTable as required.")):
        dynamodb.update_table(TableName=table_s, ReplicaUpdates=[
            {"Create": {"RegionName": endpoint.region}}])


def test_update_table_delete_of_an_unknown_replica(dynamodb, table_s):
    with invalid("not part of the global table"):
        dynamodb.update_table(TableName=table_s, ReplicaUpdates=[
            {"Delete": {"RegionName": "eu-central-1"}}])


def test_secondary_indexes_are_refused_not_ignored(dynamodb):
    # There is no index yet.  Answering success and then failing each Query would be a lie.
    request = table_request(unique(), p="S")
    request["AttributeDefinitions"].append({"AttributeName": "x", "AttributeType": "S"})
    request["GlobalSecondaryIndexes"] = [{
        "IndexName": "by-x", "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"}}]
    with invalid("index"):
        dynamodb.create_table(**request)


def test_describe_limits(dynamodb):
    answer = dynamodb.describe_limits()
    for member in ("AccountMaxReadCapacityUnits", "AccountMaxWriteCapacityUnits",
                   "TableMaxReadCapacityUnits", "TableMaxWriteCapacityUnits"):
        assert answer[member] > 0


def test_describe_endpoints(dynamodb):
    answer = dynamodb.describe_endpoints()["Endpoints"]
    assert answer and answer[0]["Address"] and answer[0]["CachePeriodInMinutes"] > 0
