#include "tests/unit/api/fixture.h"

namespace meridian::test {
namespace {

using TableTest = ApiFixture;

// A CreateTable of "Made" with one key, with `more` members.
std::string creation(const std::string& more) {
  return R"({"TableName":"Made","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
             "AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}])" +
         more + "}";
}
const std::string kOnDemand = R"(,"BillingMode":"PAY_PER_REQUEST")";

TEST_F(TableTest, CreateDescribeDelete) {
  auto made = ok("CreateTable", creation(kOnDemand));
  EXPECT_EQ(
      made,
      R"({"TableDescription":{"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],)"
      R"("KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],"TableName":"Made",)"
      R"("TableStatus":"CREATING",)"
      R"("CreationDateTime":1700000000.123,"ProvisionedThroughput":{"NumberOfDecreasesToday":0,)"
      R"("ReadCapacityUnits":0,"WriteCapacityUnits":0},)"
      R"("BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST",)"
      R"("LastUpdateToPayPerRequestDateTime":1700000000.123},"TableSizeBytes":0,"ItemCount":0,)"
      R"("TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Made",)"
      R"("TableId":"00000000-0000-0abc-0000-000000000001","DeletionProtectionEnabled":false}})");
  ok("PutItem", R"({"TableName":"Made","Item":{"p":{"S":"a"}}})");
  auto described = ok("DescribeTable", R"({"TableName":"Made"})");
  EXPECT_EQ(described.substr(0, 9), R"({"Table":)");
  EXPECT_EQ(member(described, "TableStatus"), "ACTIVE");
  EXPECT_NE(described.find(R"("ItemCount":1)"), std::string::npos);
  EXPECT_EQ(error("CreateTable", creation(kOnDemand)),
            "ResourceInUseException: Table already exists: Made");
  EXPECT_EQ(member(ok("DeleteTable", R"({"TableName":"Made"})"), "TableStatus"), "DELETING");
  EXPECT_EQ(error("DeleteTable", R"({"TableName":"Made"})"),
            "ResourceNotFoundException: Requested resource not found: Table: Made not found");
}

TEST_F(TableTest, CreationIsChecked) {
  const std::string invalid = "ValidationException: One or more parameter values were invalid: ";
  EXPECT_EQ(error("CreateTable", creation("")),
            invalid +
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode "
                "is PROVISIONED");
  EXPECT_EQ(
      error("CreateTable", creation(kOnDemand + R"(,"ProvisionedThroughput":{"ReadCapacityUnits":1,
                                           "WriteCapacityUnits":1})")),
      invalid +
          "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode "
          "is PAY_PER_REQUEST");
  EXPECT_EQ(error("CreateTable", creation(kOnDemand + R"(,"GlobalSecondaryIndexes":[{}])")),
            invalid + "GlobalSecondaryIndexes is not supported yet");
  EXPECT_EQ(error("CreateTable",
                  R"({"TableName":"Made","BillingMode":"PAY_PER_REQUEST",
                      "KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
                      "AttributeDefinitions":[{"AttributeName":"q","AttributeType":"S"}]})"),
            invalid +
                "Some index key attributes are not defined in AttributeDefinitions. Keys: [p], "
                "AttributeDefinitions: [q]");
  EXPECT_EQ(error("CreateTable",
                  R"({"TableName":"Made","BillingMode":"PAY_PER_REQUEST",
                      "KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
                      "AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},
                                              {"AttributeName":"q","AttributeType":"S"}]})"),
            invalid +
                "Number of attributes in KeySchema does not exactly match number of attributes "
                "defined in AttributeDefinitions");
  EXPECT_EQ(error("CreateTable", "{}"),
            "ValidationException: The parameter 'TableName' is required but was not present in the "
            "request");
  EXPECT_EQ(error("CreateTable",
                  R"({"TableName":"Made","BillingMode":"PAY_PER_REQUEST",
                      "KeySchema":[{"AttributeName":"p","KeyType":"HASH"},
                                   {"AttributeName":"q","KeyType":"RANGE"}],
                      "AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}]})"),
            "ValidationException: Invalid KeySchema: Some index key attribute have no definition");
  EXPECT_EQ(error("CreateTable", R"({"TableName":"Made"})"),
            "ValidationException: 2 validation errors detected: Value null at "
            "'attributeDefinitions' failed to satisfy constraint: Member must not be null; Value "
            "null at 'keySchema' failed to satisfy constraint: Member must not be null");
}

TEST_F(TableTest, HarmlessParametersAreAccepted) {
  ok("CreateTable",
     creation(kOnDemand + R"(,"Tags":[{"Key":"a","Value":"b"}],"GlobalSecondaryIndexes":[],
                                            "TableClass":"STANDARD",
                                             "SSESpecification":{"Enabled":true})"));
}

TEST_F(TableTest, DeletionProtectionHolds) {
  ok("CreateTable", creation(kOnDemand + R"(,"DeletionProtectionEnabled":true)"));
  EXPECT_EQ(error("DeleteTable", R"({"TableName":"Made"})"),
            "ValidationException: Resource cannot be deleted as it is currently protected against "
            "deletion. Disable deletion protection first.");
  auto updated = ok("UpdateTable", R"({"TableName":"Made","DeletionProtectionEnabled":false})");
  EXPECT_EQ(member(updated, "TableStatus"), "UPDATING");
  ok("DeleteTable", R"({"TableName":"Made"})");
}

TEST_F(TableTest, ListTablesPages) {
  make_tables();
  EXPECT_EQ(ok("ListTables", R"({"Limit":1})"),
            R"({"TableNames":["Plain"],"LastEvaluatedTableName":"Plain"})");
  EXPECT_EQ(ok("ListTables", R"({"Limit":1,"ExclusiveStartTableName":"Plain"})"),
            R"({"TableNames":["Sorted"]})");
}

TEST_F(TableTest, BillingChanges) {
  ok("CreateTable", creation(kOnDemand));
  auto updated = ok("UpdateTable", R"({"TableName":"Made","BillingMode":"PROVISIONED",
      "ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4}})");
  EXPECT_NE(updated.find(R"("ReadCapacityUnits":3,"WriteCapacityUnits":4)"), std::string::npos);
  EXPECT_EQ(updated.find("BillingModeSummary"), std::string::npos);
  EXPECT_EQ(error("UpdateTable", R"({"TableName":"Made"})").substr(0, 40),
            "ValidationException: At least one of Pro");
}

TEST_F(TableTest, StreamsAreEnabledAndDisabled) {
  ok("CreateTable", creation(kOnDemand));
  std::string enable = R"({"TableName":"Made","StreamSpecification":{"StreamEnabled":true,
                           "StreamViewType":"KEYS_ONLY"}})";
  auto enabled = ok("UpdateTable", enable);
  EXPECT_NE(
      enabled.find(R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"})"),
      std::string::npos);
  EXPECT_EQ(member(enabled, "LatestStreamArn"),
            "arn:aws:dynamodb:us-east-1:000000000000:table/Made/stream/2026-01-01T00:00:00.000");
  EXPECT_EQ(error("UpdateTable", enable),
            "ValidationException: Table already has an enabled stream: TableName: Made");
  std::string disable = R"({"TableName":"Made","StreamSpecification":{"StreamEnabled":false}})";
  EXPECT_EQ(ok("UpdateTable", disable).find("\"StreamSpecification\""), std::string::npos);
  EXPECT_EQ(error("UpdateTable", disable),
            "ValidationException: Table has no stream to disable: TableName: Made");
}

class ReplicaTest : public ApiFixture {
 protected:
  ReplicaTest() { make_tables(); }
  static std::string update(const std::string& replica_updates) {
    return R"({"TableName":"Plain","ReplicaUpdates":)" + replica_updates + "}";
  }
};

TEST_F(ReplicaTest, TablesBecomeGlobalAndStopBeingSo) {
  ok("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"}}])"));
  // The same action said twice is said once.
  auto made = ok("UpdateTable", update(R"([{"Create":{"RegionName":"ap-northeast-1"}},
                                           {"Create":{"RegionName":"ap-northeast-1"}}])"));
  EXPECT_EQ(replicas_.calls,
            (std::vector<std::string>{"create Plain eu-west-1", "create Plain ap-northeast-1"}));
  EXPECT_EQ(member(made, "GlobalTableVersion"), "2019.11.21");
  EXPECT_NE(made.find(R"("Replicas":[{"RegionName":"ap-northeast-1","ReplicaStatus":"ACTIVE",)"
                      R"("ReplicaArn":"arn:aws:dynamodb:ap-northeast-1:000000000000:table/Plain",)"
                      R"("GlobalTableSettingsReplicationMode":"ENABLED_WITH_OVERRIDES"},)"
                      R"({"RegionName":"eu-west-1",)"),
            std::string::npos);
  EXPECT_EQ(member(made, "StreamViewType"), "NEW_AND_OLD_IMAGES")
      << "made global, so with a stream";
  EXPECT_EQ(error("UpdateTable",
                  R"({"TableName":"Plain","StreamSpecification":{"StreamEnabled":false}})"),
            "ValidationException: One or more parameter values were invalid: Disabling Stream is "
            "not allowed for a Global Table replica.");
  ok("UpdateTable", update(R"([{"Delete":{"RegionName":"eu-west-1"}}])"));
  ok("UpdateTable", update(R"([{"Delete":{"RegionName":"ap-northeast-1"}}])"));
  auto described = ok("DescribeTable", R"({"TableName":"Plain"})");
  EXPECT_EQ(described.find("Replicas"), std::string::npos);
  EXPECT_EQ(described.find("GlobalTableVersion"), std::string::npos);
  EXPECT_EQ(member(described, "StreamViewType"), "NEW_AND_OLD_IMAGES") << "the stream stays";
}

TEST_F(ReplicaTest, UpdatesAreChecked) {
  EXPECT_EQ(error("UpdateTable", update(R"([{"Create":{"RegionName":"us-east-1"}}])")),
            "ValidationException: Cannot add, delete, or update the local region through "
            "ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.");
  EXPECT_EQ(
      error("UpdateTable", update(R"([{"Delete":{"RegionName":"eu-west-1"}}])")),
      "ValidationException: Update global table operation failed because one or more replicas "
      "were not part of the global table. Please retry the request without these replicas: "
      "[eu-west-1].");
  ok("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"}}])"));
  EXPECT_EQ(error("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"}}])")),
            "ValidationException: Failed to create a the new replica of table with name: 'Plain' "
            "because one or more replicas already existed as tables.");
  EXPECT_EQ(error("UpdateTable", R"({"TableName":"Plain","MultiRegionConsistency":"STRONG",
                                     "ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]})"),
            "ValidationException: One or more parameter values were invalid: "
            "MultiRegionConsistency STRONG is not supported yet");
}

TEST_F(ReplicaTest, OneActionPerRequestAndNothingElse) {
  const std::string create = R"({"Create":{"RegionName":"eu-west-1"}})";
  const std::string mixed =
      "ValidationException: Update table operation with more than one type of replica actions not "
      "allowed.";
  EXPECT_EQ(error("UpdateTable", update("[{}]")),
            "ValidationException: There are no actions specified in the Replica Update Action of "
            "the request.");
  EXPECT_EQ(error("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"},
                                             "Delete":{"RegionName":"eu-west-1"}}])")),
            mixed);
  EXPECT_EQ(
      error("UpdateTable", update("[" + create + R"(,{"Delete":{"RegionName":"sa-east-1"}}])")),
      mixed);
  EXPECT_EQ(
      error("UpdateTable", update("[" + create + R"(,{"Create":{"RegionName":"sa-east-1"}}])")),
      "ValidationException: Update table operation with more than one create or delete replica "
      "actions not allowed");
  for (const char* other :
       {R"("BillingMode":"PAY_PER_REQUEST")", R"("DeletionProtectionEnabled":true)",
        R"("TableClass":"STANDARD")", R"("SSESpecification":{"Enabled":false})",
        R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"})"})
    EXPECT_EQ(error("UpdateTable", R"({"TableName":"Plain","ReplicaUpdates":[)" + create + "]," +
                                       other + "}"),
              "ValidationException: One or more parameter values were invalid: Replica "
              "modification must be the only operation in the request")
        << other;
  EXPECT_EQ(error("UpdateTable", update(R"([{"Create":{}}])")),
            "ValidationException: 1 validation error detected: Value null at "
            "'replicaUpdates.1.member.create.regionName' failed to satisfy constraint: Member must "
            "not be null");
  EXPECT_EQ(error("UpdateTable", update(R"([{"Create":{"RegionName":"EU West"}}])")),
            "ValidationException: Region EU West is not supported.");
  EXPECT_TRUE(replicas_.calls.empty());
}

TEST_F(ReplicaTest, AProvisionedTableIsNotAutoScaled) {
  ok("UpdateTable", R"({"TableName":"Plain","BillingMode":"PROVISIONED",
      "ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}})");
  EXPECT_EQ(error("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"}}])")),
            "ValidationException: Table write capacity should either be Pay-Per-Request or "
            "AutoScaled.");
}

TEST_F(ReplicaTest, AutoScalingIsDescribedAsOffAndStaysSo) {
  const std::string plain = R"({"TableName":"Plain"})";
  for (const char* operation :
       {"DescribeTableReplicaAutoScaling", "UpdateTableReplicaAutoScaling"})
    EXPECT_EQ(error(operation, plain),
              "ResourceNotFoundException: Global table with name: 'Plain' does not exist.");
  ok("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"}}])"));
  auto described = ok("DescribeTableReplicaAutoScaling", plain);
  EXPECT_EQ(
      described.substr(0, described.find("},{")),
      R"({"TableAutoScalingDescription":{"TableName":"Plain","TableStatus":"ACTIVE","Replicas":[)"
      R"({"RegionName":"eu-west-1","GlobalSecondaryIndexes":[],)"
      R"("ReplicaProvisionedReadCapacityAutoScalingSettings":{"AutoScalingDisabled":true,)"
      R"("ScalingPolicies":[]},"ReplicaProvisionedWriteCapacityAutoScalingSettings":)"
      R"({"AutoScalingDisabled":true,"ScalingPolicies":[]},"ReplicaStatus":"ACTIVE")");
  EXPECT_EQ(error("UpdateTableReplicaAutoScaling", plain),
            "ValidationException: Failed to update settings for global table with name: "
            "\u2018Plain\u2019 because at least one update parameter must be specified.");
  auto with = [](const std::string& write, const std::string& region, const std::string& read) {
    return R"({"TableName":"Plain","ProvisionedWriteCapacityAutoScalingUpdate":)" + write +
           R"(,"ReplicaUpdates":[{"RegionName":")" + region +
           R"(","ReplicaProvisionedReadCapacityAutoScalingUpdate":)" + read + "}]}";
  };
  const std::string off = R"({"AutoScalingDisabled":true})";
  const std::string on = R"({"MinimumUnits":1,"MaximumUnits":10})";
  EXPECT_EQ(ok("UpdateTableReplicaAutoScaling", with(off, "eu-west-1", off)), described);
  for (const auto& refused : {with(on, "eu-west-1", off), with(off, "eu-west-1", on)})
    EXPECT_EQ(error("UpdateTableReplicaAutoScaling", refused),
              "ValidationException: Failed to update settings for global table with name: "
              "\u2018Plain\u2019: auto scaling is not supported here, where capacity units never "
              "throttle; only AutoScalingDisabled can be set to true.");
  EXPECT_EQ(error("UpdateTableReplicaAutoScaling", with(off, "sa-east-1", off)),
            "ResourceNotFoundException: Failed to update settings for global table with name: "
            "\u2018Plain\u2019 because a replica does not exist in regions: [sa-east-1].");
}

TEST_F(ReplicaTest, TheCallsOf2017FailAsOnAws) {
  ok("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"}}])"));
  EXPECT_EQ(error("CreateGlobalTable", R"({"GlobalTableName":"Plain",
                                           "ReplicationGroup":[{"RegionName":"eu-west-1"}]})"),
            "ValidationException: DynamoDB global tables version 2017.11.29 is not supported. We "
            "recommend using DynamoDB global tables version 2019.11.21, instead of version "
            "2017.11.29 (Legacy).");
  for (const char* operation : {"UpdateGlobalTable", "DescribeGlobalTable",
                                "DescribeGlobalTableSettings", "UpdateGlobalTableSettings"}) {
    EXPECT_EQ(error(operation, R"({"GlobalTableName":"Plain"})"),
              "GlobalTableNotFoundException: Global table with name 'Plain' does not exist.")
        << operation;
    EXPECT_EQ(error(operation, "{}").substr(0, 75),
              "ValidationException: 1 validation error detected: Value null at 'globalTabl");
  }
  EXPECT_EQ(ok("ListGlobalTables", "{}"), R"({"GlobalTables":[]})");
}

TEST_F(ReplicaTest, AReplicaHasSettingsOfItsOwn) {
  auto replica = [this](const std::string& region) {
    auto described = ok("DescribeTable", R"({"TableName":"Plain"})");
    auto at = described.find(R"("RegionName":")" + region);
    return at == std::string::npos ? "" : described.substr(at, described.find('}', at) - at);
  };
  ok("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1",
      "ProvisionedThroughputOverride":{"ReadCapacityUnits":9},
      "TableClassOverride":"STANDARD_INFREQUENT_ACCESS"}}])"));
  EXPECT_EQ(replica("eu-west-1").find("Provisioned"), std::string::npos) << "on demand";
  EXPECT_NE(replica("eu-west-1").find(
                R"("ReplicaTableClassSummary":{"TableClass":"STANDARD_INFREQUENT_ACCESS")"),
            std::string::npos);
  EXPECT_EQ(replica("us-east-1").find("ReplicaTableClassSummary"), std::string::npos);
  EXPECT_EQ(error("UpdateTable", update(R"([{"Update":{"RegionName":"eu-west-1",
                "ProvisionedThroughputOverride":{"ReadCapacityUnits":5}}}])")),
            "ValidationException: Neither ReadCapacityUnits nor WriteCapacityUnits can be "
            "specified when BillingMode is PAY_PER_REQUEST");
  EXPECT_EQ(error("UpdateTable", update(R"([{"Update":{"RegionName":"eu-west-1"}}])")),
            "ValidationException: There are no actions specified in the Replica Update Action of "
            "the request.");
  EXPECT_EQ(error("UpdateTable", update(R"([{"Update":{"RegionName":"eu-west-1",
                "KMSMasterKeyId":"alias/mine"}}])")),
            "ValidationException: One or more parameter values were invalid: KMSMasterKeyId must "
            "be specified for each replica.");
  ok("UpdateTable", R"({"TableName":"Plain","BillingMode":"PROVISIONED",
      "ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":5}})");
  EXPECT_EQ(replica("eu-west-1").find("Provisioned"), std::string::npos) << "lost to what is newer";
  ok("UpdateTable", update(R"([{"Update":{"RegionName":"eu-west-1",
      "ProvisionedThroughputOverride":{"ReadCapacityUnits":7}}}])"));
  EXPECT_NE(replica("eu-west-1").find(R"("ProvisionedThroughputOverride":{"ReadCapacityUnits":7)"),
            std::string::npos);
  EXPECT_EQ(error("UpdateTable", update(R"([{"Update":{"RegionName":"eu-west-1",
                "OnDemandThroughputOverride":{"MaxReadRequestUnits":5}}}])")),
            "ValidationException: MaxReadRequestUnits for OnDemandThroughput cannot be specified "
            "when the table BillingMode is PROVISIONED");
  // A replica that is made anew does not inherit what one of its name had.
  ok("UpdateTable", R"({"TableName":"Plain","BillingMode":"PAY_PER_REQUEST"})");
  ok("UpdateTable", update(R"([{"Update":{"RegionName":"eu-west-1",
      "OnDemandThroughputOverride":{"MaxReadRequestUnits":50}}}])"));
  EXPECT_NE(replica("eu-west-1").find(R"("OnDemandThroughputOverride":{"MaxReadRequestUnits":50)"),
            std::string::npos);
  EXPECT_EQ(replicas_.calls.back(), "announce");
  ok("UpdateTable", update(R"([{"Delete":{"RegionName":"eu-west-1"}}])"));
  ok("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"}}])"));
  EXPECT_EQ(replica("eu-west-1").find("Override"), std::string::npos);
  EXPECT_EQ(replica("eu-west-1").find("ReplicaTableClassSummary"), std::string::npos);
}

TEST_F(ReplicaTest, AFailureIsAnsweredAndTheStreamTakenBack) {
  replicas_.failure = api::ApiError::validation("region eu-west-1 cannot be reached");
  EXPECT_EQ(error("UpdateTable", update(R"([{"Create":{"RegionName":"eu-west-1"}}])")),
            "ValidationException: region eu-west-1 cannot be reached");
  EXPECT_EQ(ok("DescribeTable", R"({"TableName":"Plain"})").find("\"StreamSpecification\""),
            std::string::npos);
}

TEST_F(ReplicaTest, DeletingATableAsksTheReplicas) {
  replicas_.failure = api::ApiError::resource_in_use("not drained");
  EXPECT_EQ(error("DeleteTable", R"({"TableName":"Plain"})"),
            "ResourceInUseException: not drained");
  replicas_.failure.reset();
  ok("DeleteTable", R"({"TableName":"Plain"})");
  EXPECT_EQ(replicas_.calls, (std::vector<std::string>{"drop Plain", "drop Plain"}));
}

TEST_F(TableTest, EndpointsAndLimits) {
  EXPECT_EQ(ok("DescribeEndpoints", "{}"),
            R"({"Endpoints":[{"Address":"localhost:8000","CachePeriodInMinutes":1440}]})");
  EXPECT_EQ(ok("DescribeLimits", "{}"),
            R"({"AccountMaxReadCapacityUnits":80000,"AccountMaxWriteCapacityUnits":80000,)"
            R"("TableMaxReadCapacityUnits":40000,"TableMaxWriteCapacityUnits":40000})");
}

}  // namespace
}  // namespace meridian::test
