#include <map>
#include <string_view>

#include "common/rng.h"
#include "tests/unit/api/fixture.h"

namespace meridian::test {
namespace {

std::size_t string_end(std::string_view json, std::size_t at) { return json.find('"', at + 1) + 1; }

// One past the JSON value that begins at `at`.
std::size_t value_end(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  do {
    char c = json[at];
    if (c == '"') {
      at = string_end(json, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      --depth;
      ++at;
    } else {
      at = depth > 0 ? at + 1 : json.find_first_of(",]}", at);
    }
  } while (depth > 0);
  return at;
}

// Where values begin: after each colon and each opening bracket.
std::vector<std::size_t> value_starts(std::string_view json) {
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] == ':' || json[at] == '[') out.push_back(at + 1);
    at = json[at] == '"' ? string_end(json, at) : at + 1;
  }
  return out;
}

// Requests that are nearly right: whatever is done to them, the API answers, and blames the client.
class HostileTest : public ApiFixture {
 protected:
  HostileTest() { make_tables(); }

  struct Sample {
    std::string operation;
    std::string body;
  };
  static std::vector<Sample> samples();
  void expect_an_answer(const std::string& operation, const std::string& body);

  Rng rng_{11};
  std::map<std::string, int> answers_;  // by error type, empty for success
};

std::vector<HostileTest::Sample> HostileTest::samples() {
  return {
      {"PutItem", R"-({"TableName":"Plain","Item":{"p":{"S":"a"},"v":{"M":{"x":{"L":[{"N":"1.5"},
          {"B":"AAEC"},{"NULL":true},{"BOOL":false}]}}},"s":{"SS":["a","b"]},"n":{"NS":["1","2"]}},
          "ConditionExpression":"attribute_not_exists(#p) OR v.x[0] < :n",
          "ExpressionAttributeNames":{"#p":"p"},"ExpressionAttributeValues":{":n":{"N":"3"}},
          "ReturnValues":"ALL_OLD","ReturnConsumedCapacity":"INDEXES"})-"},
      {"UpdateItem", R"-({"TableName":"Plain","Key":{"p":{"S":"a"}},
          "UpdateExpression":"SET v.x[1] = if_not_exists(w, :n) + :n REMOVE s ADD n :s DELETE t :s",
          "ExpressionAttributeValues":{":n":{"N":"3"},":s":{"NS":["4"]}},
          "ReturnValues":"UPDATED_NEW"})-"},
      {"UpdateItem", R"-({"TableName":"Plain","Key":{"p":{"S":"a"}},"AttributeUpdates":{
          "n":{"Action":"ADD","Value":{"N":"3"}},"t":{"Action":"DELETE"}},"Expected":{
          "n":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"1"},{"N":"2"}]},
          "t":{"Exists":false}},"ConditionalOperator":"OR"})-"},
      {"DeleteItem", R"({"TableName":"Sorted","Key":{"p":{"S":"a"},"s":{"N":"1"}}})"},
      {"GetItem", R"({"TableName":"Sorted","Key":{"p":{"S":"a"},"s":{"N":"1"}},
          "ProjectionExpression":"a.b[1], c","ConsistentRead":true})"},
      {"Query", R"-({"TableName":"Sorted","KeyConditionExpression":"p = :p AND s BETWEEN :a AND :b",
          "FilterExpression":"contains(v, :p) AND size(v) > :a","Limit":3,"ScanIndexForward":false,
          "ExclusiveStartKey":{"p":{"S":"a"},"s":{"N":"2"}},
          "ExpressionAttributeValues":{":p":{"S":"a"},":a":{"N":"1"},":b":{"N":"5"}}})-"},
      {"Scan",
       R"({"TableName":"Sorted","Segment":1,"TotalSegments":4,"Select":"COUNT","ScanFilter":{
          "v":{"ComparisonOperator":"IN","AttributeValueList":[{"N":"2"},{"N":"1"}]}}})"},
      {"BatchGetItem", R"({"RequestItems":{"Plain":{"Keys":[{"p":{"S":"a"}},{"p":{"S":"b"}}],
          "AttributesToGet":["p"]}}})"},
      {"BatchWriteItem", R"({"RequestItems":{"Plain":[{"PutRequest":{"Item":{"p":{"S":"a"}}}},
          {"DeleteRequest":{"Key":{"p":{"S":"b"}}}}]}})"},
      {"CreateTable", R"({"TableName":"Other","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
          "AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],
          "ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1},
          "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}})"},
      {"UpdateTable",
       R"({"TableName":"Plain","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}},
          {"Delete":{"RegionName":"eu-west-1"}}],"BillingMode":"PAY_PER_REQUEST"})"},
      {"UpdateTable",
       R"({"TableName":"Plain","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]})"},
      {"UpdateTableReplicaAutoScaling",
       R"({"TableName":"Plain","ReplicaUpdates":[{"RegionName":"eu-west-1",
          "ReplicaProvisionedReadCapacityAutoScalingUpdate":{"AutoScalingDisabled":true}}]})"},
      {"CreateGlobalTable",
       R"({"GlobalTableName":"Plain","ReplicationGroup":[{"RegionName":"eu-west-1"}]})"},
      {"ListGlobalTables", R"({"ExclusiveStartGlobalTableName":"Plain","Limit":5})"},
      {"DescribeStream",
       R"({"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Plain/stream/x",
          "Limit":1,"ShardFilter":{"Type":"CHILD_SHARDS","ShardId":"shardId-0"}})"},
      {"GetShardIterator",
       R"({"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/P/stream/x",
          "ShardId":"shardId-00000000000000000000-00000000",
          "ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"100000000000000001000"})"},
      {"GetRecords", R"({"ShardIterator":"arn:x|1|AAAAAAAAAAEAAAAAAAAAAgADAAAABAAA","Limit":5})"},
  };
}

void HostileTest::expect_an_answer(const std::string& operation, const std::string& body) {
  auto response = call(operation, body);
  EXPECT_TRUE(response.status == 200 || response.status == 400)
      << operation << " " << body << "\n"
      << response.status << " " << response.body;
  ++answers_[member(response.body, "__type")];
}

TEST_F(HostileTest, TornAndMutatedRequests) {
  for (const auto& sample : samples()) {
    for (std::size_t length = 0; length < sample.body.size(); length += 7)
      expect_an_answer(sample.operation, sample.body.substr(0, length));
    for (int round = 0; round < 400; ++round) {
      auto body = sample.body;
      for (std::uint64_t i = 0, changes = 1 + rng_.below(4); i < changes; ++i)
        body[rng_.below(body.size())] = static_cast<char>(rng_.below(256));
      expect_an_answer(sample.operation, body);
    }
  }
}

// Replaces whole values, so that the JSON stays well formed and the readers behind it are reached.
TEST_F(HostileTest, ValuesOfOtherTypes) {
  constexpr std::string_view kTokens[] = {"null",
                                          "true",
                                          "0",
                                          "-1",
                                          "1e400",
                                          "99999999999999999999",
                                          "\"\"",
                                          "[]",
                                          "{}",
                                          "{\"S\":\"\"}",
                                          "[[[[]]]]",
                                          "{\"M\":{}}",
                                          "\"\\u0000\"",
                                          "\"x\"",
                                          "1.5",
                                          "[{}]",
                                          "[null]",
                                          "{\"a\":1}",
                                          "{\"L\":[{}]}",
                                          "{\"N\":\"1e999\"}"};
  for (const auto& sample : samples()) {
    for (auto at : value_starts(sample.body)) {
      auto end = value_end(sample.body, at);
      for (auto token : kTokens) {
        auto body = sample.body;
        body.replace(at, end - at, token);
        expect_an_answer(sample.operation, body);
      }
    }
  }
  // The requests have reached what lies behind the parser.
  EXPECT_GT(answers_[""], 40);
  EXPECT_GT(answers_["com.amazon.coral.validate#ValidationException"], 500);
  EXPECT_GT(answers_["com.amazon.coral.service#SerializationException"], 1000);
}

TEST_F(HostileTest, DeepAndWideJson) {
  std::string deep(100'000, '[');
  expect_an_answer("PutItem", deep);
  expect_an_answer("PutItem", R"({"Item":)" + deep);
  std::string wide = R"({"TableName":"Plain","Item":{"p":{"S":"a"})";
  for (int i = 0; i < 20'000; ++i) wide += ",\"a" + std::to_string(i) + R"(":{"NULL":true})";
  expect_an_answer("PutItem", wide + "}}");
}

}  // namespace
}  // namespace meridian::test
