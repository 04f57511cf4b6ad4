#include "tests/unit/api/fixture.h"

namespace meridian::test {
namespace {

class BatchTest : public ApiFixture {
 protected:
  BatchTest() { make_tables(); }
  static std::string put_request(const std::string& key) {
    return R"({"PutRequest":{"Item":{"p":{"S":")" + key + "\"}}}}";
  }
  static std::string plain_key(const std::string& key) { return R"({"p":{"S":")" + key + "\"}}"; }
};

TEST_F(BatchTest, WritesAndReadsSeveralTables) {
  EXPECT_EQ(ok("BatchWriteItem",
               R"({"RequestItems":{"Plain":[)" + put_request("a") + "," + put_request("b") +
                   R"(],"Sorted":[{"PutRequest":{"Item":{"p":{"S":"x"},"s":{"N":"1"}}}}]}})"),
            R"({"UnprocessedItems":{}})");
  EXPECT_EQ(
      ok("BatchWriteItem",
         R"({"RequestItems":{"Plain":[{"DeleteRequest":{"Key":{"p":{"S":"a"}}}}]},
             "ReturnConsumedCapacity":"TOTAL"})"),
      R"({"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"Plain","CapacityUnits":1}]})");
  EXPECT_EQ(
      ok("BatchGetItem",
         R"({"RequestItems":{"Plain":{"Keys":[)" + plain_key("a") + "," + plain_key("b") +
             R"(]},"Sorted":{"Keys":[{"p":{"S":"x"},"s":{"N":"1"}}],"ProjectionExpression":"s",
                                          "ConsistentRead":true}},
             "ReturnConsumedCapacity":"TOTAL"})"),
      R"({"Responses":{"Plain":[{"p":{"S":"b"}}],"Sorted":[{"s":{"N":"1"}}]},"UnprocessedKeys":{},)"
      R"("ConsumedCapacity":[{"TableName":"Plain","CapacityUnits":1},)"
      R"({"TableName":"Sorted","CapacityUnits":1}]})");
}

TEST_F(BatchTest, WritesThatTheStoreRefusesAreHandedBack) {
  store_.refusals = {std::nullopt, store::WriteStatus::overloaded, std::nullopt};
  EXPECT_EQ(ok("BatchWriteItem", R"({"RequestItems":{"Plain":[)" + put_request("a") + "," +
                                     put_request("b") + R"(,{"DeleteRequest":{"Key":)" +
                                     plain_key("c") + "}}]}}"),
            R"({"UnprocessedItems":{"Plain":[)" + put_request("b") + "]}}");
  EXPECT_EQ(store_.items("Plain"), 1u);
  store_.refusals = {store::WriteStatus::overloaded};
  EXPECT_EQ(error("BatchWriteItem", R"({"RequestItems":{"Plain":[)" + put_request("d") + "]}}")
                .substr(0, 39),
            "ProvisionedThroughputExceededException:");
}

TEST_F(BatchTest, WritesAreChecked) {
  EXPECT_EQ(error("BatchWriteItem", R"({"RequestItems":{"Plain":[)" + put_request("a") + "," +
                                        put_request("a") + "]}}"),
            "ValidationException: Provided list of item keys contains duplicates");
  EXPECT_EQ(error("BatchWriteItem", R"({"RequestItems":{}})"),
            "ValidationException: The requestItems parameter is required for BatchWriteItem");
  EXPECT_EQ(error("BatchWriteItem", R"({"RequestItems":{"None":[)" + put_request("a") + "]}}"),
            "ResourceNotFoundException: Requested resource not found");
  EXPECT_EQ(error("BatchWriteItem", R"({"RequestItems":{"Plain":[{}]}})"),
            "ValidationException: Supplied WriteRequest is empty, must contain exactly one of "
            "PutRequest and DeleteRequest");
  std::string many;
  for (int i = 0; i < 26; ++i) many += (i > 0 ? "," : "") + put_request(std::to_string(i));
  EXPECT_EQ(error("BatchWriteItem", R"({"RequestItems":{"Plain":[)" + many + "]}}"),
            "ValidationException: 1 validation error detected: Value '{Plain=[...]}' at "
            "'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "
            "[Member must have length less than or equal to 25, Member must have length greater "
            "than or equal to 1]");
  EXPECT_EQ(store_.items("Plain"), 0u);
}

TEST_F(BatchTest, ReadsAreChecked) {
  EXPECT_EQ(error("BatchGetItem", R"({"RequestItems":{"Plain":{"Keys":[)" + plain_key("a") + "," +
                                      plain_key("a") + "]}}}"),
            "ValidationException: Provided list of item keys contains duplicates");
  EXPECT_EQ(
      error("BatchGetItem", R"({"RequestItems":{"Plain":{"Keys":[]}}})"),
      "ValidationException: 1 validation error detected: Value at "
      "'RequestItems.Plain.member.Keys' failed to satisfy constraint: Member must have length "
      "greater than or equal to 1");
}

TEST_F(BatchTest, ReadsStopAtSixteenMegabytes) {
  std::string fat(390 * 1024, 'x');
  std::string keys;
  for (int i = 0; i < 50; ++i) {
    auto key = "k" + std::to_string(i);
    ok("PutItem",
       R"({"TableName":"Plain","Item":{"p":{"S":")" + key + R"("},"v":{"S":")" + fat + "\"}}}");
    keys += (i > 0 ? "," : "") + plain_key(key);
  }
  auto answer = ok("BatchGetItem", R"({"RequestItems":{"Plain":{"Keys":[)" + keys +
                                       R"(],"ProjectionExpression":"#p",
                                          "ExpressionAttributeNames":{"#p":"p"}}}})");
  auto at = answer.find("\"UnprocessedKeys\":");
  // 42 items of 390 KB fit in 16 MB.
  std::string rest;
  for (int i = 42; i < 50; ++i) rest += (i > 42 ? "," : "") + plain_key("k" + std::to_string(i));
  EXPECT_EQ(answer.substr(at), R"("UnprocessedKeys":{"Plain":{"Keys":[)" + rest +
                                   R"(],"ProjectionExpression":"#p",)"
                                   R"("ExpressionAttributeNames":{"#p":"p"}}}})");
}

}  // namespace
}  // namespace meridian::test
