"""The control plane of global tables: version 2019.11.21, and how the calls of 2017.11.29 fail.

AWS's texts are asserted whole where they are known.
"""

import pytest

from cluster import wait_until
from support import error, invalid, table_request, text, unique, wait_active

LOCAL_REGION = ("Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, "
                "DeleteTable, or UpdateTable as required.")
NOT_PART = ("Update global table operation failed because one or more replicas were not part of the "
            "global table. Please retry the request without these replicas: [{}].")
MORE_THAN_ONE_TYPE = "Update table operation with more than one type of replica actions not allowed."


class Global:
    """A table at home in one region, with a replica in the other."""

    def __init__(self, regions, global_too=True, **more):
        self.regions = regions
        self.name = unique("g")
        # Regions that start together may not have found each other yet; SDKs retry that error.
        self.home = regions[0].client(attempts=8, parameter_validation=False)
        self.away = regions[1].client(attempts=8, parameter_validation=False)
        self.home_name, self.away_name = regions[0].name, regions[1].name
        self.home.create_table(**{**table_request(self.name, p="S"), **more})
        wait_active(self.home, self.name)
        if global_too:
            self.replicas(Create={"RegionName": self.away_name})
            regions.wait_active(self.name, regions, replicas=1)

    def update(self, **more):
        return self.home.update_table(TableName=self.name, **more)["TableDescription"]

    def replicas(self, *several, **one):
        return self.update(ReplicaUpdates=list(several) or [one])

    def described(self, client=None):
        return (client or self.home).describe_table(TableName=self.name)["Table"]

    def replica(self, region, client=None):
        found = [r for r in self.described(client).get("Replicas", []) if r["RegionName"] == region]
        return found[0] if found else None


@pytest.fixture(scope="module")
def both(regions):
    return Global(regions)


@pytest.fixture
def alone(regions):
    return Global(regions, global_too=False)


# ------------------------------------------------------------------------------------ ReplicaUpdates


def target(action, region):
    """What an action says; an Update must say more than the region."""
    return {"RegionName": region, **({"TableClassOverride": "STANDARD"} if action == "Update" else {})}


@pytest.mark.parametrize("action", ["Create", "Update", "Delete"])
def test_the_local_region(both, action):
    with invalid(text(LOCAL_REGION)):
        both.replicas(**{action: target(action, both.home_name)})


@pytest.mark.parametrize("action", ["Update", "Delete"])
def test_a_region_that_is_no_replica(alone, action):
    with invalid(text(NOT_PART.format("sa-east-1"))):
        alone.replicas(**{action: target(action, "sa-east-1")})


def test_a_replica_that_exists_already(both, alone):
    exists = ("Failed to create a the new replica of table with name: '{}' because one or more replicas "
              "already existed as tables.")
    with invalid(text(exists.format(both.name))):
        both.replicas(Create={"RegionName": both.away_name})
    alone.away.create_table(**table_request(alone.name, p="S"))
    wait_active(alone.away, alone.name)
    with invalid(text(exists.format(alone.name))):
        alone.replicas(Create={"RegionName": alone.away_name})
    # Nothing has happened, and the stream that it would have needed is not left behind.
    assert "Replicas" not in alone.described() and "StreamSpecification" not in alone.described()


def test_a_region_that_nobody_knows(alone):
    with invalid("^Region mars-north-1 is not supported. The latest version of global tables are only "
                 r"supported in the following regions: \[.*eu-west-1.*\]$"):
        alone.replicas(Create={"RegionName": "mars-north-1"})


def test_a_provisioned_table_needs_auto_scaling(regions):
    table = Global(regions, global_too=False, BillingMode="PROVISIONED", ProvisionedThroughput={
        "ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
    with invalid(text("Table write capacity should either be Pay-Per-Request or AutoScaled.")):
        table.replicas(Create={"RegionName": table.away_name})


def test_one_action_per_request(alone):
    create = {"Create": {"RegionName": alone.away_name}}
    with invalid(text(MORE_THAN_ONE_TYPE)):
        alone.replicas({**create, "Delete": {"RegionName": alone.away_name}})
    with invalid(text(MORE_THAN_ONE_TYPE)):
        alone.replicas(create, {"Delete": {"RegionName": "sa-east-1"}})
    with invalid(text("Update table operation with more than one create or delete replica actions not "
                      "allowed")):
        alone.replicas(create, {"Create": {"RegionName": "sa-east-1"}})
    with invalid(text("There are no actions specified in the Replica Update Action of the request.")):
        alone.replicas({})
    with invalid("replicaUpdates.*length greater than or equal to 1"):
        alone.update(ReplicaUpdates=[])


@pytest.mark.parametrize("other", [
    {"BillingMode": "PAY_PER_REQUEST"}, {"DeletionProtectionEnabled": False},
    {"TableClass": "STANDARD"}, {"SSESpecification": {"Enabled": False}},
    {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}])
def test_nothing_beside_replica_updates(alone, other):
    with invalid(text("One or more parameter values were invalid: Replica modification must be the only "
                      "operation in the request")):
        alone.update(ReplicaUpdates=[{"Create": {"RegionName": alone.away_name}}], **other)


def test_an_action_without_a_region(alone):
    with invalid("replicaUpdates.1.member.delete.regionName.*must not be null"):
        alone.replicas(Delete={})


def test_no_such_table(regions):
    with error("ResourceNotFoundException", "no-such-table"):
        regions[0].client().update_table(TableName="no-such-table", ReplicaUpdates=[
            {"Create": {"RegionName": regions[1].name}}])


# ----------------------------------------------------------------------- the stream of a global table


def test_the_stream_cannot_be_disabled_or_changed(both):
    for client in (both.home, both.away):
        with invalid(text("One or more parameter values were invalid: Disabling Stream is not allowed "
                          "for a Global Table replica.")):
            client.update_table(TableName=both.name, StreamSpecification={"StreamEnabled": False})
        with invalid(text(f"Table already has an enabled stream: TableName: {both.name}")):
            client.update_table(TableName=both.name, StreamSpecification={
                "StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})


def test_without_its_last_peer_it_is_a_table_of_one_region(regions):
    table = Global(regions)
    assert table.described()["GlobalTableVersion"] == "2019.11.21"
    table.replicas(Delete={"RegionName": table.away_name})
    wait_until(lambda: "Replicas" not in table.described(), 20, "no replicas")
    described = table.described()
    assert "GlobalTableVersion" not in described and described["TableStatus"] == "ACTIVE"
    with error("ResourceNotFoundException"):
        table.described(table.away)
    # The stream stays on, and may be disabled now; what it was stays known.
    assert described["StreamSpecification"] == {"StreamEnabled": True,
                                                "StreamViewType": "NEW_AND_OLD_IMAGES"}
    table.update(StreamSpecification={"StreamEnabled": False})
    assert "StreamSpecification" not in table.described()
    assert table.described()["LatestStreamArn"] == described["LatestStreamArn"]


# --------------------------------------------------------------------------------------- auto scaling


def test_auto_scaling_of_replicas(both, alone):
    for name in (alone.name, "no-such-table"):
        with error("ResourceNotFoundException",
                   text(f"Global table with name: '{name}' does not exist.")):
            alone.home.describe_table_replica_auto_scaling(TableName=name)
        with error("ResourceNotFoundException",
                   text(f"Global table with name: '{name}' does not exist.")):
            alone.home.update_table_replica_auto_scaling(TableName=name)
    off = {"AutoScalingDisabled": True, "ScalingPolicies": []}
    described = both.home.describe_table_replica_auto_scaling(
        TableName=both.name)["TableAutoScalingDescription"]
    assert described["TableName"] == both.name and described["TableStatus"] == "ACTIVE"
    assert sorted(r["RegionName"] for r in described["Replicas"]) == sorted(
        [both.home_name, both.away_name])
    for replica in described["Replicas"]:
        assert replica["ReplicaStatus"] == "ACTIVE" and replica["GlobalSecondaryIndexes"] == []
        assert replica["ReplicaProvisionedReadCapacityAutoScalingSettings"] == off
        assert replica["ReplicaProvisionedWriteCapacityAutoScalingSettings"] == off
    with invalid("because at least one update parameter must be specified"):
        both.home.update_table_replica_auto_scaling(TableName=both.name)
    # Nothing is scaled here, and a wish to is not taken for granted.
    with invalid("auto scaling is not supported"):
        both.home.update_table_replica_auto_scaling(
            TableName=both.name, ProvisionedWriteCapacityAutoScalingUpdate={
                "MinimumUnits": 1, "MaximumUnits": 10, "ScalingPolicyUpdate": {
                    "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}}})
    answer = both.home.update_table_replica_auto_scaling(
        TableName=both.name,
        ProvisionedWriteCapacityAutoScalingUpdate={"AutoScalingDisabled": True})
    assert answer["TableAutoScalingDescription"] == described


# ------------------------------------------------------------------------------- version 2017.11.29


def test_create_global_table_is_not_supported(both):
    with invalid(text("DynamoDB global tables version 2017.11.29 is not supported. We recommend using "
                      "DynamoDB global tables version 2019.11.21, instead of version 2017.11.29 "
                      "(Legacy).")):
        both.home.create_global_table(GlobalTableName=both.name, ReplicationGroup=[
            {"RegionName": both.away_name}])


@pytest.mark.parametrize("call", [
    "update_global_table", "describe_global_table", "describe_global_table_settings",
    "update_global_table_settings"])
def test_global_tables_of_2017_do_not_exist(both, call):
    # Not even under the name of a table that is global in the way of 2019.
    more = {"ReplicaUpdates": [{"Create": {"RegionName": both.away_name}}]} if call == (
        "update_global_table") else {}
    with error("GlobalTableNotFoundException",
               text(f"Global table with name '{both.name}' does not exist.")):
        getattr(both.home, call)(GlobalTableName=both.name, **more)


def test_list_global_tables_lists_none(both):
    answer = both.home.list_global_tables()
    assert answer["GlobalTables"] == [] and "LastEvaluatedGlobalTableName" not in answer


def test_deleting_a_table_that_others_keep(regions):
    # A copy may go in one region; the rest of the group stays.
    table = Global(regions)
    table.home.delete_table(TableName=table.name)
    with error("ResourceNotFoundException"):
        table.described()
    wait_until(lambda: "Replicas" not in table.described(table.away), 20, "a plain table")
