#include <set>

#include "tests/unit/api/fixture.h"

namespace meridian::test {
namespace {

// Query and Scan.
class PageTest : public ApiFixture {
 protected:
  PageTest() { make_tables(); }

  void put(const std::string& partition, int sort, const std::string& more = "") {
    ok("PutItem", R"({"TableName":"Sorted","Item":{"p":{"S":")" + partition + R"("},"s":{"N":")" +
                      std::to_string(sort) + "\"}" + more + "}}");
  }
  std::string query(const std::string& condition, const std::string& values,
                    const std::string& more = "") {
    return ok("Query", R"({"TableName":"Sorted","KeyConditionExpression":")" + condition +
                           R"(","ExpressionAttributeValues":)" + values + more + "}");
  }
  static std::string row(const std::string& partition, int sort) {
    return R"({"p":{"S":")" + partition + R"("},"s":{"N":")" + std::to_string(sort) + "\"}}";
  }
};

TEST_F(PageTest, QueryReadsOnePartitionInOrder) {
  for (int sort : {10, -1, 2}) put("a", sort);
  put("b", 1);
  EXPECT_EQ(query("p = :p", R"({":p":{"S":"a"}})"), R"({"Items":[)" + row("a", -1) + "," +
                                                        row("a", 2) + "," + row("a", 10) +
                                                        R"(],"Count":3,"ScannedCount":3})");
  EXPECT_EQ(query("p = :p", R"({":p":{"S":"a"}})", R"(,"ScanIndexForward":false,"Limit":1)"),
            R"({"Items":[)" + row("a", 10) + R"(],"Count":1,"ScannedCount":1,"LastEvaluatedKey":)" +
                row("a", 10) + "}");
  EXPECT_EQ(query("p = :p AND s BETWEEN :x AND :y",
                  R"({":p":{"S":"a"},":x":{"N":"0"},":y":{"N":"10"}})", R"(,"Select":"COUNT")"),
            R"({"Count":2,"ScannedCount":2})");
  EXPECT_EQ(query("p = :p AND s < :x", R"({":p":{"S":"a"},":x":{"N":"2"}})"),
            R"({"Items":[)" + row("a", -1) + R"(],"Count":1,"ScannedCount":1})");
}

TEST_F(PageTest, QueryGoesOnWhereItStopped) {
  for (int sort = 0; sort < 7; ++sort) put("a", sort);
  for (std::string direction : {"true", "false"}) {
    std::vector<std::string> seen;
    std::string start;
    for (int page = 0; page < 10; ++page) {
      auto answer = query("p = :p", R"({":p":{"S":"a"}})",
                          R"(,"Limit":3,"ScanIndexForward":)" + direction + start);
      for (auto at = answer.find("\"N\":\""); at < answer.find("],\"Count\"");
           at = answer.find("\"N\":\"", at + 1))
        seen.push_back(answer.substr(at + 5, 1));
      auto last = answer.find("\"LastEvaluatedKey\":");
      if (last == std::string::npos) break;
      start = ",\"ExclusiveStartKey\":" + answer.substr(last + 19, answer.size() - last - 20);
    }
    std::vector<std::string> expected{"0", "1", "2", "3", "4", "5", "6"};
    if (direction == "false") std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(seen, expected);
  }
}

TEST_F(PageTest, FiltersAndProjectionsApplyAfterReading) {
  for (int sort = 0; sort < 4; ++sort)
    put("a", sort, R"(,"v":{"N":")" + std::to_string(sort % 2) + "\"}");
  EXPECT_EQ(query("p = :p", R"({":p":{"S":"a"},":v":{"N":"1"}})",
                  R"(,"FilterExpression":"v = :v","ProjectionExpression":"s","Limit":3)"),
            R"({"Items":[{"s":{"N":"1"}}],"Count":1,"ScannedCount":3,"LastEvaluatedKey":)" +
                row("a", 2) + "}");
  EXPECT_EQ(error("Query", R"({"TableName":"Sorted","KeyConditionExpression":"p = :p",
                               "FilterExpression":"s = :p",
                               "ExpressionAttributeValues":{":p":{"S":"a"}}})"),
            "ValidationException: Filter Expression can only contain non-primary key attributes: "
            "Primary key attribute: s");
}

TEST_F(PageTest, LegacyQueryWorks) {
  for (int sort = 0; sort < 4; ++sort)
    put("a", sort, R"(,"v":{"N":")" + std::to_string(sort) + "\"}");
  EXPECT_EQ(ok("Query",
               R"({"TableName":"Sorted","AttributesToGet":["s"],
             "KeyConditions":{"p":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]},
                              "s":{"ComparisonOperator":"GE","AttributeValueList":[{"N":"1"}]}},
             "QueryFilter":{"v":{"ComparisonOperator":"NE","AttributeValueList":[{"N":"2"}]}}})"),
            R"({"Items":[{"s":{"N":"1"}},{"s":{"N":"3"}}],"Count":2,"ScannedCount":3})");
}

TEST_F(PageTest, KeyConditionsStandBesideOtherExpressions) {
  for (int sort = 0; sort < 3; ++sort)
    put("a", sort, R"(,"v":{"N":")" + std::to_string(sort) + "\"}");
  const std::string head = R"({"TableName":"Sorted","KeyConditions":{
      "p":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}})";
  EXPECT_EQ(ok("Query", head + R"(,"FilterExpression":"v > :v","ProjectionExpression":"s",
                               "ExpressionAttributeValues":{":v":{"N":"1"}}})"),
            R"({"Items":[{"s":{"N":"2"}}],"Count":1,"ScannedCount":3})");
  const std::string mixture =
      "ValidationException: Can not use both expression and non-expression parameters in the same "
      "request: Non-expression parameters: {";
  EXPECT_EQ(error("Query", head + R"(,"QueryFilter":{},"ConditionalOperator":"OR",
                               "KeyConditionExpression":"p = :p","FilterExpression":"v = :p",
                               "ProjectionExpression":"s",
                               "ExpressionAttributeValues":{":p":{"S":"a"}}})"),
            mixture +
                "QueryFilter, ConditionalOperator, KeyConditions} Expression parameters: "
                "{ProjectionExpression, FilterExpression, KeyConditionExpression}");
  EXPECT_EQ(error("Query", head + R"(,"AttributesToGet":["s"],"ProjectionExpression":"s"})"),
            mixture + "AttributesToGet} Expression parameters: {ProjectionExpression}");
}

TEST_F(PageTest, PagesEndAtOneMegabyte) {
  std::string fat = R"(,"v":{"S":")" + std::string(300 * 1024, 'x') + "\"}";
  for (int sort = 0; sort < 5; ++sort) put("a", sort, fat);
  auto answer = query("p = :p", R"({":p":{"S":"a"}})",
                      R"(,"Select":"COUNT","ReturnConsumedCapacity":"TOTAL")");
  EXPECT_EQ(answer, R"({"Count":3,"ScannedCount":3,"LastEvaluatedKey":)" + row("a", 2) +
                        R"(,"ConsumedCapacity":{"TableName":"Sorted","CapacityUnits":113}})");
}

TEST_F(PageTest, StartKeysAreChecked) {
  put("a", 1);
  std::string head = R"({"TableName":"Sorted","KeyConditionExpression":"p = :p",
                         "ExpressionAttributeValues":{":p":{"S":"a"}},"ExclusiveStartKey":)";
  EXPECT_EQ(error("Query", head + R"({"p":{"S":"b"},"s":{"N":"1"}}})"),
            "ValidationException: The provided starting key is outside query boundaries based on "
            "provided conditions");
  EXPECT_EQ(error("Query", head + R"({"p":{"S":"a"}}})"),
            "ValidationException: The provided starting key is invalid: The provided key element "
            "does not match the schema");
}

TEST_F(PageTest, QueryRefusesWhatMakesNoSense) {
  EXPECT_EQ(error("Query", R"({"TableName":"Sorted"})"),
            "ValidationException: Either the KeyConditions or KeyConditionExpression parameter "
            "must be specified in the request.");
  std::string head = R"({"TableName":"Sorted","KeyConditionExpression":"p = :p",
                         "ExpressionAttributeValues":{":p":{"S":"a"}})";
  EXPECT_EQ(error("Query", head + R"(,"IndexName":"by_date"})"),
            "ValidationException: The table does not have the specified index: by_date");
  EXPECT_EQ(error("Query", head + R"(,"Limit":0})"),
            "ValidationException: 1 validation error detected: Value at 'Limit' failed to "
            "satisfy constraint: Member must have value greater than or equal to 1");
  EXPECT_EQ(error("Query", head + R"(,"Select":"SPECIFIC_ATTRIBUTES"})"),
            "ValidationException: One or more parameter values were invalid: Must specify the "
            "AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES");
}

TEST_F(PageTest, ScanSeesEverythingOnceInSegments) {
  for (int i = 0; i < 50; ++i) put("p" + std::to_string(i), i);
  EXPECT_EQ(ok("Scan", R"({"TableName":"Sorted","Select":"COUNT"})"),
            R"({"Count":50,"ScannedCount":50})");
  std::multiset<std::string> seen;
  for (int segment = 0; segment < 3; ++segment) {
    std::string start;
    for (int page = 0; page < 30; ++page) {
      auto answer = ok("Scan", R"({"TableName":"Sorted","TotalSegments":3,"Limit":7,"Segment":)" +
                                   std::to_string(segment) + start + "}");
      auto end = answer.find("],\"Count\"");
      for (auto at = answer.find("\"S\":\""); at < end; at = answer.find("\"S\":\"", at + 1))
        seen.insert(member(answer.substr(at), "S"));
      auto last = answer.find("\"LastEvaluatedKey\":");
      if (last == std::string::npos) break;
      start = ",\"ExclusiveStartKey\":" + answer.substr(last + 19, answer.size() - last - 20);
    }
  }
  EXPECT_EQ(seen.size(), 50u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 50u);
}

TEST_F(PageTest, ScanFilters) {
  for (int i = 0; i < 4; ++i) put("a", i, R"(,"v":{"N":")" + std::to_string(i) + "\"}");
  EXPECT_EQ(
      ok("Scan", R"({"TableName":"Sorted","FilterExpression":"v > :v","ProjectionExpression":"s",
                           "ExpressionAttributeValues":{":v":{"N":"2"}}})"),
      R"({"Items":[{"s":{"N":"3"}}],"Count":1,"ScannedCount":4})");
  EXPECT_EQ(ok("Scan",
               R"({"TableName":"Sorted","Select":"COUNT","ConditionalOperator":"OR","ScanFilter":{
                   "v":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"0"}]},
                   "s":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"3"}]}}})"),
            R"({"Count":2,"ScannedCount":4})");
  EXPECT_EQ(error("Scan", R"({"TableName":"Sorted","ConditionalOperator":"AND"})"),
            "ValidationException: ConditionalOperator cannot be used without Filter or Expected");
  EXPECT_EQ(error("Scan", R"({"TableName":"Sorted","Segment":3,"TotalSegments":3})"),
            "ValidationException: The Segment parameter is zero-based and must be less than "
            "parameter TotalSegments: Segment: 3 is not less than TotalSegments: 3");
}

}  // namespace
}  // namespace meridian::test
