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


def test_consistency_among_regions(both, alone):
    create = [{"Create": {"RegionName": alone.away_name}}]
    with invalid("MultiRegionConsistency STRONG is not supported yet"):
        alone.update(ReplicaUpdates=create, MultiRegionConsistency="STRONG")
    with invalid("multiRegionConsistency.*enum value set"):
        alone.update(ReplicaUpdates=create, MultiRegionConsistency="LINEAR")
    with invalid(text("Only Replica Create actions are supported when MultiRegionConsistency parameter "
                      "is provided.")):
        both.update(ReplicaUpdates=[{"Delete": {"RegionName": both.away_name}}],
                    MultiRegionConsistency="EVENTUAL")
    with invalid(text("MultiRegionConsistency parameter is unsupported on existing global table")):
        both.update(ReplicaUpdates=[{"Create": {"RegionName": "sa-east-1"}}],
                    MultiRegionConsistency="EVENTUAL")
    # The default may be said; it is not described, as on AWS.
    alone.update(ReplicaUpdates=create, MultiRegionConsistency="EVENTUAL")
    alone.regions.wait_active(alone.name, alone.regions, replicas=1)
    assert "MultiRegionConsistency" not in alone.described()


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


# ------------------------------------------------------------------------- settings, in three classes


def settled(table, check, what):
    wait_until(lambda: all(check(table.described(c)) for c in (table.home, table.away)), 20, what)


def units(described):
    throughput = described["ProvisionedThroughput"]
    return throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]


def provision(client, table, read, write, **more):
    client.update_table(TableName=table.name, ProvisionedThroughput={
        "ReadCapacityUnits": read, "WriteCapacityUnits": write}, **more)


@pytest.fixture
def provisioned(regions):
    table = Global(regions)
    provision(table.home, table, 5, 5, BillingMode="PROVISIONED")
    settled(table, lambda d: units(d) == (5, 5) and "BillingModeSummary" not in d, "provisioned")
    return table


def test_capacity_is_the_same_everywhere(provisioned):
    # Whichever region is asked, as AWS does; and back to on demand.
    provision(provisioned.away, provisioned, 7, 10)
    settled(provisioned, lambda d: units(d) == (7, 10), "changed in the other region")
    assert all("ProvisionedThroughputOverride" not in r
               for r in provisioned.described()["Replicas"])
    provisioned.update(BillingMode="PAY_PER_REQUEST")
    settled(provisioned, lambda d: units(d) == (0, 0) and
            d["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST", "on demand")


def test_a_replica_may_have_read_capacity_of_its_own(provisioned):
    away = provisioned.away_name

    def override(client=None):
        return provisioned.replica(away, client).get("ProvisionedThroughputOverride")

    provisioned.replicas(Update={"RegionName": away, "ProvisionedThroughputOverride": {
        "ReadCapacityUnits": 10}})
    for client in (provisioned.home, provisioned.away):
        wait_until(lambda: override(client) == {"ReadCapacityUnits": 10}, 20, "the override")
    wait_until(lambda: units(provisioned.described(provisioned.away)) == (10, 5), 20, "10 there")
    assert units(provisioned.described()) == (5, 5)
    # The table's value takes it away; so does a later change of the table's value in any region.
    provisioned.replicas(Update={"RegionName": away, "ProvisionedThroughputOverride": {
        "ReadCapacityUnits": 5}})
    assert override() is None
    provisioned.replicas(Update={"RegionName": away, "ProvisionedThroughputOverride": {
        "ReadCapacityUnits": 11}})
    provision(provisioned.home, provisioned, 6, 5)
    settled(provisioned, lambda d: units(d) == (6, 5), "the override is lost")


def test_overrides_go_with_the_billing_mode(both, provisioned):
    with invalid(text("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                      "BillingMode is PAY_PER_REQUEST")):
        both.replicas(Update={"RegionName": both.away_name, "ProvisionedThroughputOverride": {
            "ReadCapacityUnits": 10}})
    with invalid(text("MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table "
                      "BillingMode is PROVISIONED")):
        provisioned.replicas(Update={"RegionName": provisioned.away_name,
                                     "OnDemandThroughputOverride": {"MaxReadRequestUnits": 100}})
    with invalid(text("There are no actions specified in the Replica Update Action of the request.")):
        both.replicas(Update={"RegionName": both.away_name})


def test_on_demand_maximum(regions):
    table = Global(regions)
    table.update(OnDemandThroughput={"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50})
    settled(table, lambda d: d.get("OnDemandThroughput") == {
        "MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50}, "the maximum")
    table.replicas(Update={"RegionName": table.away_name, "OnDemandThroughputOverride": {
        "MaxReadRequestUnits": 7}})
    wait_until(lambda: table.described(table.away)["OnDemandThroughput"] == {
        "MaxReadRequestUnits": 7, "MaxWriteRequestUnits": 50}, 20, "its own")
    assert table.replica(table.away_name)["OnDemandThroughputOverride"] == {
        "MaxReadRequestUnits": 7}
    table.update(OnDemandThroughput={"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1})
    settled(table, lambda d: "OnDemandThroughput" not in d, "none")


def test_table_class(regions):
    table = Global(regions)
    assert "TableClassSummary" not in table.described()
    table.replicas(Update={"RegionName": table.away_name,
                           "TableClassOverride": "STANDARD_INFREQUENT_ACCESS"})
    wait_until(lambda: table.described(table.away).get("TableClassSummary", {}).get("TableClass")
               == "STANDARD_INFREQUENT_ACCESS", 20, "the replica's class")
    assert "TableClassSummary" not in table.described()
    summary = table.replica(table.away_name)["ReplicaTableClassSummary"]
    assert summary["TableClass"] == "STANDARD_INFREQUENT_ACCESS" and summary["LastUpdateDateTime"]
    assert "ReplicaTableClassSummary" not in table.replica(table.home_name)
    table.update(TableClass="STANDARD")
    settled(table, lambda d: d.get("TableClassSummary", {}).get("TableClass") == "STANDARD",
            "of the whole table")
    with invalid("tableClass.*enum value set"):
        table.update(TableClass="GLACIER")


def test_encryption_is_kept_and_not_claimed(regions):
    # The type is the same everywhere.  Nothing is encrypted here, and the status says so.
    table = Global(regions)
    table.update(SSESpecification={"Enabled": True, "SSEType": "KMS"})
    settled(table, lambda d: d.get("SSEDescription") == {"Status": "DISABLED", "SSEType": "KMS"},
            "the type")
    table.update(SSESpecification={"Enabled": False})
    settled(table, lambda d: "SSEDescription" not in d, "none")


def test_deletion_protection_is_each_replicas_own(regions):
    table = Global(regions)
    table.away.update_table(TableName=table.name, DeletionProtectionEnabled=True)
    table.update(TableClass="STANDARD")
    settled(table, lambda d: "TableClassSummary" in d, "a setting that does travel")
    assert table.described(table.away)["DeletionProtectionEnabled"] is True
    assert table.described()["DeletionProtectionEnabled"] is False
    with invalid("protected against deletion"):
        table.replicas(Delete={"RegionName": table.away_name})
    assert table.replica(table.away_name)["ReplicaStatus"] == "ACTIVE"


def test_a_replica_begins_with_the_tables_settings(regions):
    table = Global(regions, global_too=False, TableClass="STANDARD_INFREQUENT_ACCESS",
                   OnDemandThroughput={"MaxReadRequestUnits": 100})
    table.replicas(Create={"RegionName": table.away_name, "TableClassOverride": "STANDARD",
                           "OnDemandThroughputOverride": {"MaxReadRequestUnits": 7}})
    regions.wait_active(table.name, regions, replicas=1)
    there = table.described(table.away)
    assert there["TableClassSummary"]["TableClass"] == "STANDARD"
    assert there["OnDemandThroughput"] == {"MaxReadRequestUnits": 7}
    assert table.described()["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert table.described()["OnDemandThroughput"] == {"MaxReadRequestUnits": 100}
    for client in (table.home, table.away):
        described = table.described(client)
        assert described["GlobalTableSettingsReplicationMode"] == "ENABLED_WITH_OVERRIDES"
        assert all(r["GlobalTableSettingsReplicationMode"] == "ENABLED_WITH_OVERRIDES"
                   for r in described["Replicas"])
