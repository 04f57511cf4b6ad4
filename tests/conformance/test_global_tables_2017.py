"""Global tables version 2017.11.29, where a node is told to serve them (global_tables_2017)."""

import pytest

import cluster
from support import S, error, get, invalid, table_request, text, unique, wait_active

VIEW = "NEW_AND_OLD_IMAGES"


@pytest.fixture(scope="module")
def three(request, tmp_path_factory):
    if request.config.getoption("--url"):
        pytest.skip("AWS makes no such tables any more")
    made = cluster.Cluster(tmp_path_factory.mktemp("regions-2017"), count=3)
    for region in made:
        with open(region.folder / "region-node.yaml", "a", encoding="utf-8") as config:
            config.write("global_tables_2017: true\n")
    with made:
        yield made
        assert not made.deaths()


def clients(three):
    return [r.client(attempts=8, parameter_validation=False) for r in three]


def group(three, count):
    return [{"RegionName": r.name} for r in three.regions[:count]]


def make(three, count=3, view=VIEW, **more):
    """Empty tables of one name."""
    name = unique("v1")
    for client in clients(three)[:count]:
        client.create_table(**{**table_request(name, view, p="S"), **more})
        wait_active(client, name)
    return name


def test_empty_tables_are_joined(three):
    home, away, third = clients(three)
    name = make(three)
    arns = [c.describe_table(TableName=name)["Table"]["LatestStreamArn"] for c in (home, away, third)]
    answer = home.create_global_table(GlobalTableName=name, ReplicationGroup=group(three, 2))
    made = answer["GlobalTableDescription"]
    assert made["GlobalTableArn"] == f"arn:aws:dynamodb::000000000000:global-table/{name}"
    assert made["GlobalTableStatus"] in ("CREATING", "ACTIVE") and made["CreationDateTime"]
    home.update_global_table(GlobalTableName=name, ReplicaUpdates=[
        {"Create": {"RegionName": three[2].name}}])
    three.wait_active(name, three, replicas=2)
    for client, arn in zip((home, away, third), arns):
        described = client.describe_global_table(GlobalTableName=name)["GlobalTableDescription"]
        assert described["GlobalTableStatus"] == "ACTIVE"
        assert sorted(r["RegionName"] for r in described["ReplicationGroup"]) == sorted(
            r.name for r in three)
        table = client.describe_table(TableName=name)["Table"]
        assert table["GlobalTableVersion"] == "2017.11.29"
        # Whoever reads the stream has its ARN already.
        assert table["LatestStreamArn"] == arn
    third.put_item(TableName=name, Item={"p": S("x"), "v": S("from the third")})
    for client in (home, away):
        cluster.wait_until(lambda: get(client, name, {"p": S("x")}) == {
            "p": S("x"), "v": S("from the third")}, 20, "replicated")
    listed = home.list_global_tables()["GlobalTables"]
    assert name in [g["GlobalTableName"] for g in listed]


def test_list_by_pages_and_region(three):
    home = clients(three)[0]
    names = sorted(make(three, 2) for _ in range(2))
    for name in names:
        home.create_global_table(GlobalTableName=name, ReplicationGroup=group(three, 2))
    seen, start = [], {}
    for _ in range(100):
        page = home.list_global_tables(Limit=1, **start)
        seen += [g["GlobalTableName"] for g in page["GlobalTables"]]
        if "LastEvaluatedGlobalTableName" not in page:
            break
        start = {"ExclusiveStartGlobalTableName": page["LastEvaluatedGlobalTableName"]}
    assert [n for n in seen if n in names] == names and len(seen) == len(set(seen))
    there = home.list_global_tables(RegionName=three[2].name)["GlobalTables"]
    assert not set(names) & {g["GlobalTableName"] for g in there}
    # A table that is global in the way of 2019 is none of them.
    home.create_table(**table_request("of-2019", p="S"))
    home.update_table(TableName="of-2019", ReplicaUpdates=[{"Create": {"RegionName": three[1].name}}])
    three.wait_active("of-2019", three.regions[:2], replicas=1)
    assert "of-2019" not in [g["GlobalTableName"] for g in home.list_global_tables()["GlobalTables"]]
    with error("GlobalTableNotFoundException",
               text("Global table with name 'of-2019' does not exist.")):
        home.describe_global_table(GlobalTableName="of-2019")


def test_what_cannot_be_joined(three):
    home, away, _ = clients(three)

    def join(name, count=2):
        home.create_global_table(GlobalTableName=name, ReplicationGroup=group(three, count))
    with error("TableNotFoundException", "no-such-table"):
        join("no-such-table")
    with invalid("at least one other"):
        join(make(three, 1), 1)
    with invalid("stream"):
        join(make(three, 2, view="KEYS_ONLY"))
    full = make(three, 2)
    home.put_item(TableName=full, Item={"p": S("x")})
    with invalid("empty"):
        join(full)
    full = make(three, 2)
    away.put_item(TableName=full, Item={"p": S("mine")})
    with invalid("already existed as tables"):
        join(full)
    # Nothing has happened to either.
    assert get(away, full, {"p": S("mine")})
    for client in (home, away):
        assert "Replicas" not in client.describe_table(TableName=full)["Table"]
    with error("GlobalTableNotFoundException"):
        home.describe_global_table(GlobalTableName=full)
    name = make(three, 2)
    join(name)
    with error("GlobalTableAlreadyExistsException"):
        join(name)
    with error("ReplicaAlreadyExistsException"):
        home.update_global_table(GlobalTableName=name, ReplicaUpdates=[
            {"Create": {"RegionName": three[1].name}}])
    with error("ReplicaNotFoundException"):
        home.update_global_table(GlobalTableName=name, ReplicaUpdates=[
            {"Delete": {"RegionName": three[2].name}}])
    with invalid("not supported here"):
        home.update_global_table(GlobalTableName=name, ReplicaUpdates=[
            {"Delete": {"RegionName": three[1].name}}])


def test_settings(three):
    home, away, _ = clients(three)
    name = make(three, 2)
    home.create_global_table(GlobalTableName=name, ReplicationGroup=group(three, 2))
    described = home.describe_global_table_settings(GlobalTableName=name)
    assert [r["ReplicaBillingModeSummary"]["BillingMode"] for r in described["ReplicaSettings"]] == [
        "PAY_PER_REQUEST"] * 2
    with invalid("must be specified"):
        home.update_global_table_settings(GlobalTableName=name, GlobalTableBillingMode="PROVISIONED")
    home.update_global_table_settings(
        GlobalTableName=name, GlobalTableBillingMode="PROVISIONED",
        GlobalTableProvisionedWriteCapacityUnits=10, ReplicaSettingsUpdate=[
            {"RegionName": r.name, "ReplicaProvisionedReadCapacityUnits": 5 + i}
            for i, r in enumerate(three.regions[:2])])

    def read_units(client, index):
        throughput = client.describe_table(TableName=name)["Table"]["ProvisionedThroughput"]
        return (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (5 + index, 10)
    for index, client in enumerate((home, away)):
        cluster.wait_until(lambda: read_units(client, index), 20, "units of each region")
    found = {r["RegionName"]: r["ReplicaProvisionedReadCapacityUnits"]
             for r in away.describe_global_table_settings(GlobalTableName=name)["ReplicaSettings"]}
    assert found == {three[0].name: 5, three[1].name: 6}
