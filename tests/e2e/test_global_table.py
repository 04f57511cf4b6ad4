"""A global table, seen through three real clients: boto3, the AWS CLI and the JavaScript SDK."""

import json
import os
import pathlib
import subprocess
import sys
import time
import uuid

import pytest
from botocore.exceptions import ClientError

import consumer
from cluster import wait_until

NODE_SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "conformance/node/client.cjs"


class Boto3:
    name = "boto3"

    def put(self, region, table, item):
        region.client().put_item(TableName=table, Item=item)

    def get(self, region, table, key):
        return region.client().get_item(TableName=table, Key=key).get("Item")


class AwsCli:
    name = "AWS CLI"

    def run(self, region, *arguments):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                       "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                       "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
        done = subprocess.run(
            [sys.executable, "-m", "awscli", "--endpoint-url", region.url("table"), "--region",
             region.name, "--output", "json", "dynamodb", *arguments],
            capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def put(self, region, table, item):
        self.run(region, "put-item", "--table-name", table, "--item", json.dumps(item))

    def get(self, region, table, key):
        return self.run(region, "get-item", "--table-name", table, "--key", json.dumps(key)).get("Item")


class JavaScript:
    name = "AWS SDK for JavaScript v3"

    def run(self, operation, region, table, value):
        modules = os.environ.get("MERIDIAN_NODE_MODULES", str(NODE_SCRIPT.parent / "node_modules"))
        if not (pathlib.Path(modules) / "@aws-sdk/client-dynamodb").is_dir():
            # Only an explicit wish may leave a client out; the criteria name all three.
            if os.environ.get("MERIDIAN_NODE_MODULES") == "":
                pytest.skip("MERIDIAN_NODE_MODULES is empty")
            raise AssertionError(f"no @aws-sdk/client-dynamodb in {modules}: npm ci there, or set "
                                 "MERIDIAN_NODE_MODULES")
        done = subprocess.run(
            [os.environ.get("MERIDIAN_NODE", "node"), str(NODE_SCRIPT), operation,
             region.url("table"), region.name, table, json.dumps(value)],
            capture_output=True, text=True, timeout=60, env={**os.environ, "NODE_PATH": modules})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def put(self, region, table, item):
        self.run("put", region, table, item)

    def get(self, region, table, key):
        return self.run("get", region, table, key)


CLIENTS = [Boto3(), AwsCli(), JavaScript()]


def new_key():
    return {"customer": {"S": uuid.uuid4().hex}, "order": {"S": "1"}}


@pytest.mark.parametrize("home", range(3))
@pytest.mark.parametrize("client", CLIENTS, ids=lambda c: c.name)
def test_put_here_read_there(shared, client, home):
    # Acceptance line 2: each client puts in one region and reads from the other two.
    key = new_key()
    item = {**key, "total": {"N": "12.5"}, "lines": {"L": [{"S": "a"}, {"M": {"q": {"N": "1"}}}]}}
    client.put(shared[home], "Orders", item)
    for away in shared:
        if away is not shared[home]:
            wait_until(lambda: client.get(away, "Orders", key) == item, 15,
                       f"{client.name} reads in {away.name} what it put in {shared[home].name}")


@pytest.mark.parametrize("home", range(3))
def test_every_stream_shows_the_change_with_both_images(shared, home):
    key = new_key()
    first = {**key, "v": {"S": "first"}}
    second = {**key, "v": {"S": "second"}}
    table = shared[home].client()
    table.put_item(TableName="Orders", Item=first)
    table.put_item(TableName="Orders", Item=second)
    table.delete_item(TableName="Orders", Key=key)
    for region in shared:
        arn = region.client().describe_table(TableName="Orders")["Table"]["LatestStreamArn"]
        assert region.name in arn

        def mine():
            found = consumer.drain(region.client("dynamodbstreams"), arn)
            return [r for records in found.values() for r in records
                    if r["dynamodb"]["Keys"] == key]
        wait_until(lambda: len(mine()) >= 3, 15, f"three records in {region.name}")
        time.sleep(0.2)
        records = mine()  # and not more than three
        assert [(r["eventName"], r["dynamodb"].get("OldImage"), r["dynamodb"].get("NewImage"))
                for r in records] == [("INSERT", None, first), ("MODIFY", first, second),
                                      ("REMOVE", second, None)]
        # The region that answered, not the one where the client wrote.
        assert {r["awsRegion"] for r in records} == {region.name}


def test_describe_table_of_a_global_table(shared):
    for region in shared:
        described = region.client().describe_table(TableName="Orders")["Table"]
        assert described["GlobalTableVersion"] == "2019.11.21"
        assert described["TableStatus"] == "ACTIVE"
        names = {r["RegionName"] for r in described["Replicas"]}
        assert names | {region.name} == {r.name for r in shared}
        assert all(r["ReplicaStatus"] == "ACTIVE" for r in described["Replicas"])
        assert region.name in described["TableArn"]
        assert described["StreamSpecification"] == {
            "StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    ids = {r.client().describe_table(TableName="Orders")["Table"]["TableId"] for r in shared}
    assert all(ids)


def test_write_is_last_writer_wins(shared):
    # A later write in another region wins everywhere, whichever region is later.
    key = new_key()
    for turn in range(6):
        writer = shared[turn % 3]
        value = {**key, "v": {"N": str(turn)}}
        writer.client().put_item(TableName="Orders", Item=value)
        for region in shared:
            wait_until(lambda: region.client().get_item(
                TableName="Orders", Key=key).get("Item") == value, 15, f"turn {turn}")


def test_everything_legal_replicates(shared):
    # The largest item, the longest keys, all types, the deepest nesting, the longest numbers.
    deep = {"S": "deep"}
    for level in range(31):
        deep = {"L": [deep]} if level % 2 else {"M": {"a": deep}}
    key = {"customer": {"S": "k" * 2048}, "order": {"S": "\u00e9" * 512}}
    plain = {**key, "deep": deep, "b": {"B": bytes(range(256))}, "z": {"NULL": True},
             "n": {"N": "-" + "9" * 38}, "e": {"N": "1E-130"}, "t": {"BOOL": False}, "s": {"S": ""},
             "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": [b"\x00", b"\xff"]}}
    big_key = new_key()
    room = 400 * 1024 - sum(len(n) + len(v["S"]) for n, v in big_key.items()) - 1
    big = {**big_key, "x": {"S": "x" * room}}
    small = {**big_key, "x": {"S": "small"}}
    table = shared[0].client()
    for item in (plain, small, big, small, big):
        table.put_item(TableName="Orders", Item=item)
    expected = table.get_item(TableName="Orders", Key=key)["Item"]
    assert set(expected) == set(plain)
    for region in (shared[1], shared[2]):
        client = region.client()
        wait_until(lambda: client.get_item(TableName="Orders", Key=big_key).get("Item") == big, 15,
                   "the largest item")
        assert client.get_item(TableName="Orders", Key=key)["Item"] == expected
        arn = client.describe_table(TableName="Orders")["Table"]["LatestStreamArn"]
        wait_until(lambda: len([r for records in consumer.drain(
            region.client("dynamodbstreams"), arn).values() for r in records
            if r["dynamodb"]["Keys"] == big_key]) == 4, 15, "four records of the largest item")


def test_conditions_are_local_but_see_replicated_items(shared):
    key = new_key()
    shared[0].client().put_item(TableName="Orders", Item=key)
    wait_until(lambda: "Item" in shared[1].client().get_item(TableName="Orders", Key=key), 15, "there")
    with pytest.raises(ClientError) as caught:
        shared[1].client().put_item(TableName="Orders", Item=key,
                                    ConditionExpression="attribute_not_exists(customer)")
    assert caught.value.response["Error"]["Code"] == "ConditionalCheckFailedException"


# ----------------------------------------------------------------------------------- ReplicaUpdates


def invalid(call, words):
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException", error
    assert words.lower() in error["Message"].lower(), error


def create_plain(region, name, **more):
    region.client().create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}], **more)
    wait_until(lambda: region.client().describe_table(
        TableName=name)["Table"]["TableStatus"] == "ACTIVE", 10, "ACTIVE")


def update(region, name, **update):
    return region.client().update_table(TableName=name, ReplicaUpdates=[update])


def has_table(region, name):
    try:
        region.client().describe_table(TableName=name)
        return True
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"
        return False


def test_becoming_global_turns_the_stream_on(shared):
    # AWS: NEW_AND_OLD_IMAGES if there was no stream; and it cannot be turned off any more.
    create_plain(shared[0], "AutoStream")
    update(shared[0], "AutoStream", Create={"RegionName": shared[1].name})
    shared.wait_active("AutoStream", list(shared)[:2], replicas=1)
    for region in list(shared)[:2]:
        described = region.client().describe_table(TableName="AutoStream")["Table"]
        assert described["StreamSpecification"] == {
            "StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        assert described["LatestStreamArn"]
        invalid(lambda: region.client().update_table(
            TableName="AutoStream", StreamSpecification={"StreamEnabled": False}),
            "Disabling Stream is not allowed for a Global Table replica")
    assert not has_table(shared[2], "AutoStream")


def test_keys_only_stream_stays_and_replication_works(shared):
    # Replication reads the log, not the user's stream, so the view type does not matter to it.
    create_plain(shared[0], "KeysOnly", StreamSpecification={
        "StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    update(shared[0], "KeysOnly", Create={"RegionName": shared[1].name})
    shared.wait_active("KeysOnly", list(shared)[:2], replicas=1)
    item = {"p": {"S": "x"}, "v": {"S": "whole"}}
    shared[0].client().put_item(TableName="KeysOnly", Item=item)
    wait_until(lambda: shared[1].client().get_item(
        TableName="KeysOnly", Key={"p": {"S": "x"}}).get("Item") == item, 15, "replicated")
    described = shared[0].client().describe_table(TableName="KeysOnly")["Table"]
    assert described["StreamSpecification"]["StreamViewType"] == "KEYS_ONLY"


def test_replica_errors(shared):
    name = "ReplicaErrors"
    here, there = shared[0], shared[1]
    create_plain(here, name)
    local = ("Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, "
             "DeleteTable, or UpdateTable as required.")
    invalid(lambda: update(here, name, Create={"RegionName": here.name}), local)
    invalid(lambda: update(here, name, Delete={"RegionName": here.name}), local)
    invalid(lambda: update(here, name, Delete={"RegionName": there.name}),
            "not part of the global table")
    invalid(lambda: update(here, name, Create={"RegionName": "mars-north-1"}), "mars-north-1")
    invalid(lambda: here.client(parameter_validation=False).update_table(
        TableName=name, ReplicaUpdates=[{}]), "")
    # The other region has a table of that name already: it is not overwritten.
    create_plain(there, name)
    there.client().put_item(TableName=name, Item={"p": {"S": "mine"}})
    invalid(lambda: update(here, name, Create={"RegionName": there.name}), "already exist")
    assert "Item" in there.client().get_item(TableName=name, Key={"p": {"S": "mine"}})
    with pytest.raises(ClientError) as caught:
        update(here, "NoSuchTable", Create={"RegionName": there.name})
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_table_with_items_gets_a_replica_that_has_them(shared):
    create_plain(shared[0], "HasItems")
    shared[0].client().put_item(TableName="HasItems", Item={"p": {"S": "x"}})
    update(shared[0], "HasItems", Create={"RegionName": shared[1].name})
    shared.wait_active("HasItems", list(shared)[:2], replicas=1)
    assert shared[1].client().get_item(TableName="HasItems", Key={"p": {"S": "x"}})["Item"]


def test_adding_the_same_replica_twice(shared):
    create_plain(shared[0], "Twice")
    update(shared[0], "Twice", Create={"RegionName": shared[1].name})
    shared.wait_active("Twice", list(shared)[:2], replicas=1)
    invalid(lambda: update(shared[0], "Twice", Create={"RegionName": shared[1].name}), "")


def test_deleting_a_replica(shared):
    create_plain(shared[0], "Shrinks")
    for region in (shared[1], shared[2]):
        update(shared[0], "Shrinks", Create={"RegionName": region.name})
        shared.wait_active("Shrinks", [shared[0], region], replicas=1)
    update(shared[0], "Shrinks", Delete={"RegionName": shared[2].name})
    wait_until(lambda: not has_table(shared[2], "Shrinks"), 15, "the copy is gone")

    def left():
        tables = [r.client().describe_table(TableName="Shrinks")["Table"] for r in shared.regions[:2]]
        return all({r["RegionName"] for r in t.get("Replicas", [])} | {shared[i].name}
                   == {shared[0].name, shared[1].name} for i, t in enumerate(tables))
    wait_until(left, 15, "both remaining replicas list each other only")
    shared[1].client().put_item(TableName="Shrinks", Item={"p": {"S": "x"}})
    wait_until(lambda: "Item" in shared[0].client().get_item(
        TableName="Shrinks", Key={"p": {"S": "x"}}), 15, "the others go on replicating")
    # Without any other replica it is a plain table again, with its stream still on.
    update(shared[0], "Shrinks", Delete={"RegionName": shared[1].name})
    wait_until(lambda: not has_table(shared[1], "Shrinks"), 15, "the copy is gone")
    wait_until(lambda: "Replicas" not in shared[0].client().describe_table(
        TableName="Shrinks")["Table"], 15, "a plain table")
    described = shared[0].client().describe_table(TableName="Shrinks")["Table"]
    assert "GlobalTableVersion" not in described
    assert described["StreamSpecification"]["StreamEnabled"] is True
    assert "Item" in shared[0].client().get_item(TableName="Shrinks", Key={"p": {"S": "x"}})


def test_replica_added_from_another_region(shared):
    # Any replica may add the next one, and everybody learns of it.
    create_plain(shared[0], "Chain")
    update(shared[0], "Chain", Create={"RegionName": shared[1].name})
    shared.wait_active("Chain", list(shared)[:2], replicas=1)
    update(shared[1], "Chain", Create={"RegionName": shared[2].name})
    shared.wait_active("Chain", list(shared), replicas=2)
    for number, region in enumerate(shared):
        region.client().put_item(TableName="Chain", Item={"p": {"S": str(number)}})
    for region in shared:
        wait_until(lambda: region.client().scan(TableName="Chain")["Count"] == 3, 15,
                   f"all three in {region.name}")


def test_table_made_again_is_another_table(shared):
    # Old positions and records must not be taken for those of a new table of the same name.
    for generation in range(2):
        create_plain(shared[0], "Again")
        update(shared[0], "Again", Create={"RegionName": shared[1].name})
        shared.wait_active("Again", list(shared)[:2], replicas=1)
        item = {"p": {"S": str(generation)}}
        shared[0].client().put_item(TableName="Again", Item=item)
        wait_until(lambda: shared[1].client().scan(TableName="Again")["Items"] == [item], 15,
                   f"generation {generation} holds its own item only")
        update(shared[0], "Again", Delete={"RegionName": shared[1].name})
        wait_until(lambda: not has_table(shared[1], "Again"), 15, "the copy is gone")
        wait_until(lambda: "Replicas" not in shared[0].client().describe_table(
            TableName="Again")["Table"], 15, "a plain table")
        shared[0].client().delete_table(TableName="Again")
        wait_until(lambda: not has_table(shared[0], "Again"), 15, "gone")
