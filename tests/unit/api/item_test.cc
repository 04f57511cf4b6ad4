#include "tests/unit/api/fixture.h"

namespace meridian::test {
namespace {

class ItemTest : public ApiFixture {
 protected:
  ItemTest() { make_tables(); }

  std::string get(const std::string& key) {
    return ok("GetItem", R"({"TableName":"Plain","Key":{"p":{"S":")" + key + "\"}}}");
  }
  void put(const std::string& item) {
    ok("PutItem", R"({"TableName":"Plain","Item":)" + item + "}");
  }
};

TEST_F(ItemTest, AllTypesComeBack) {
  std::string item =
      R"({"b":{"B":"AAEC"},"bs":{"BS":["AA==","AQ=="]},"f":{"BOOL":false},)"
      R"("l":{"L":[{"S":"x"},{"NULL":true}]},)"
      R"("m":{"M":{"in":{"N":"-0.5"}}},"n":{"N":"12.5"},"ns":{"NS":["-1","2","10"]},"p":{"S":"a"},)"
      R"("ss":{"SS":["x","y"]},"z":{"NULL":true}})";
  put(item);
  EXPECT_EQ(get("a"), R"({"Item":)" + item + "}");
}

TEST_F(ItemTest, NumbersAndSetsAreMadeCanonical) {
  put(R"({"p":{"S":"a"},"n":{"N":"0012.50e1"},"s":{"SS":["y","x"]},"ns":{"NS":["10","9"]}})");
  EXPECT_EQ(
      get("a"),
      R"({"Item":{"n":{"N":"125"},"ns":{"NS":["9","10"]},"p":{"S":"a"},"s":{"SS":["x","y"]}}})");
}

TEST_F(ItemTest, TextIsEscaped) {
  put(R"({"p":{"S":"a"},"t":{"S":"\"\\\n\t\u0001é\/"}})");
  EXPECT_EQ(get("a"), R"({"Item":{"p":{"S":"a"},"t":{"S":"\"\\\n\t\u0001é/"}}})");
}

TEST_F(ItemTest, GetOfNothingHasNoItem) { EXPECT_EQ(get("nobody"), "{}"); }

TEST_F(ItemTest, GetProjects) {
  put(R"({"p":{"S":"a"},"x":{"N":"1"},"y":{"L":[{"N":"1"},{"N":"2"}]}})");
  EXPECT_EQ(ok("GetItem",
               R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"ProjectionExpression":"#y[1]",
                   "ExpressionAttributeNames":{"#y":"y"}})"),
            R"({"Item":{"y":{"L":[{"N":"2"}]}}})");
  EXPECT_EQ(ok("GetItem",
               R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"AttributesToGet":["x","none"]})"),
            R"({"Item":{"x":{"N":"1"}}})");
}

TEST_F(ItemTest, ArnsServeAsTableNames) {
  ok("PutItem", R"({"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/Plain",
                    "Item":{"p":{"S":"a"}}})");
  EXPECT_EQ(store_.items("Plain"), 1u);
  EXPECT_EQ(error("GetItem", R"({"TableName":"arn:aws:dynamodb:eu-west-1:000000000000:table/Plain",
                                 "Key":{"p":{"S":"a"}}})"),
            "ValidationException: Invalid table ARN: the table lies in region eu-west-1, this is "
            "us-east-1");
}

TEST_F(ItemTest, PutReturnsTheOldItem) {
  std::string old = R"({"TableName":"Plain","ReturnValues":"ALL_OLD","Item":)";
  EXPECT_EQ(ok("PutItem", old + R"({"p":{"S":"a"},"v":{"N":"1"}}})"), "{}");
  EXPECT_EQ(ok("PutItem", old + R"({"p":{"S":"a"},"v":{"N":"2"}}})"),
            R"({"Attributes":{"p":{"S":"a"},"v":{"N":"1"}}})");
  EXPECT_EQ(
      error("PutItem", R"({"TableName":"Plain","ReturnValues":"ALL_NEW","Item":{"p":{"S":"a"}}})"),
      "ValidationException: ReturnValues can only be ALL_OLD or NONE");
}

TEST_F(ItemTest, ConditionsDecide) {
  std::string fresh = R"-({"TableName":"Plain","Item":{"p":{"S":"a"},"v":{"N":"1"}},
                          "ConditionExpression":"attribute_not_exists(p)")-";
  ok("PutItem", fresh + "}");
  EXPECT_EQ(error("PutItem", fresh + "}"),
            "ConditionalCheckFailedException: The conditional request failed");
  auto response = call("PutItem", fresh + R"(,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"})");
  EXPECT_EQ(response.body,
            R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",)"
            R"("message":"The conditional request failed","Item":{"p":{"S":"a"},"v":{"N":"1"}}})");
}

TEST_F(ItemTest, LegacyExpectationsDecide) {
  put(R"({"p":{"S":"a"},"v":{"N":"1"}})");
  std::string change = R"({"TableName":"Plain","Item":{"p":{"S":"a"},"v":{"N":"2"}},"Expected":)";
  EXPECT_EQ(error("PutItem", change + R"({"v":{"Value":{"N":"7"}}}})"),
            "ConditionalCheckFailedException: The conditional request failed");
  EXPECT_EQ(error("PutItem", change + R"({"p":{"Exists":false}}})"),
            "ConditionalCheckFailedException: The conditional request failed");
  ok("PutItem", change + R"({"v":{"ComparisonOperator":"LT","AttributeValueList":[{"N":"5"}]}}})");
  EXPECT_EQ(
      error("PutItem", change + R"({"v":{"Value":{"N":"7"}}},"ConditionExpression":"p = p"})"),
      "ValidationException: Can not use both expression and non-expression parameters in the "
      "same request: Non-expression parameters: {Expected} Expression parameters: "
      "{ConditionExpression}");
}

TEST_F(ItemTest, ConditionalOperatorJoinsTwoConditionsOrMore) {
  put(R"({"p":{"S":"a"},"v":{"N":"1"}})");
  std::string removal = R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"ConditionalOperator":"OR")";
  const std::string none =
      "ValidationException: ConditionalOperator cannot be used without Filter or Expected";
  EXPECT_EQ(error("DeleteItem", removal + "}"), none);
  EXPECT_EQ(error("DeleteItem", removal + R"(,"Expected":{}})"), none);
  EXPECT_EQ(error("DeleteItem", removal + R"(,"Expected":{"v":{"Value":{"N":"1"}}}})"),
            "ValidationException: ConditionalOperator can only be used when Filter or Expected has "
            "two or more elements");
  ok("DeleteItem", removal + R"(,"Expected":{"v":{"Value":{"N":"1"}},"p":{"Exists":false}}})");
}

TEST_F(ItemTest, DeleteReturnsTheOldItemAndForgivesAbsence) {
  put(R"({"p":{"S":"a"},"v":{"N":"1"}})");
  std::string removal = R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"ReturnValues":"ALL_OLD"})";
  EXPECT_EQ(ok("DeleteItem", removal), R"({"Attributes":{"p":{"S":"a"},"v":{"N":"1"}}})");
  EXPECT_EQ(ok("DeleteItem", removal), "{}");
  EXPECT_EQ(error("DeleteItem", R"-({"TableName":"Plain","Key":{"p":{"S":"a"}},
                                     "ConditionExpression":"attribute_exists(p)"})-"),
            "ConditionalCheckFailedException: The conditional request failed");
}

TEST_F(ItemTest, UpdateReturnsWhatWasAsked) {
  auto update = [&](const std::string& returned) {
    return ok("UpdateItem",
              R"-({"TableName":"Plain","Key":{"p":{"S":"a"}},
                   "UpdateExpression":"SET v = :v, w = if_not_exists(w, :w)",
                   "ExpressionAttributeValues":{":v":{"S":")-" +
                  returned + R"("},":w":{"N":"1"}},"ReturnValues":")" + returned + "\"}");
  };
  EXPECT_EQ(update("UPDATED_OLD"), "{}");
  EXPECT_EQ(update("NONE"), "{}");
  EXPECT_EQ(update("ALL_OLD"), R"({"Attributes":{"p":{"S":"a"},"v":{"S":"NONE"},"w":{"N":"1"}}})");
  EXPECT_EQ(update("UPDATED_OLD"), R"({"Attributes":{"v":{"S":"ALL_OLD"},"w":{"N":"1"}}})");
  EXPECT_EQ(update("UPDATED_NEW"), R"({"Attributes":{"v":{"S":"UPDATED_NEW"},"w":{"N":"1"}}})");
  EXPECT_EQ(update("ALL_NEW"),
            R"({"Attributes":{"p":{"S":"a"},"v":{"S":"ALL_NEW"},"w":{"N":"1"}}})");
}

TEST_F(ItemTest, UpdateWithoutActionsMakesAKeyOnlyItem) {
  ok("UpdateItem", R"({"TableName":"Plain","Key":{"p":{"S":"a"}}})");
  EXPECT_EQ(get("a"), R"({"Item":{"p":{"S":"a"}}})");
}

TEST_F(ItemTest, LegacyUpdatesWork) {
  ok("UpdateItem",
     R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"AttributeUpdates":{
         "n":{"Action":"ADD","Value":{"N":"2"}},"t":{"Value":{"S":"x"}}}})");
  EXPECT_EQ(
      ok("UpdateItem",
         R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"ReturnValues":"ALL_NEW","AttributeUpdates":{
                   "n":{"Action":"ADD","Value":{"N":"3"}},"t":{"Action":"DELETE"}}})"),
      R"({"Attributes":{"n":{"N":"5"},"p":{"S":"a"}}})");
  ok("UpdateItem",
     R"({"TableName":"Plain","Key":{"p":{"S":"b"}},"AttributeUpdates":{"t":{"Action":"DELETE"}}})");
  EXPECT_EQ(get("b"), "{}") << "a legacy DELETE makes no item";
}

TEST_F(ItemTest, RemovingAloneMakesNoItem) {
  EXPECT_EQ(ok("UpdateItem",
               R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"UpdateExpression":"REMOVE x",
                   "ReturnValues":"ALL_NEW"})"),
            "{}");
  EXPECT_EQ(get("a"), "{}");
}

TEST_F(ItemTest, RemovingPathsThatLeadNowhereMayMakeAnItem) {
  const std::string update = R"({"TableName":"Plain","Key":{"p":{"S":"a"}},
      "UpdateExpression":"SET v = :v REMOVE m.x, l[0]",
      "ExpressionAttributeValues":{":v":{"S":"b"}}})";
  ok("UpdateItem", update);
  EXPECT_EQ(get("a"), R"({"Item":{"p":{"S":"a"},"v":{"S":"b"}}})");
  EXPECT_EQ(error("UpdateItem", update),
            "ValidationException: The document path provided in the update expression is invalid "
            "for update")
      << "other than in an item that is there";
}

TEST_F(ItemTest, UpdateReportsWhatItCannotDo) {
  put(R"({"p":{"S":"a"},"v":{"S":"text"}})");
  EXPECT_EQ(error("UpdateItem",
                  R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"UpdateExpression":"SET p = :v",
                      "ExpressionAttributeValues":{":v":{"S":"b"}}})"),
            "ValidationException: One or more parameter values were invalid: Cannot update "
            "attribute p. This attribute is part of the key");
  EXPECT_EQ(error("UpdateItem",
                  R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"UpdateExpression":"SET v = v + :v",
                      "ExpressionAttributeValues":{":v":{"N":"1"}}})"),
            "ValidationException: An operand in the update expression has an incorrect data type");
}

TEST_F(ItemTest, PlaceholdersMustBeUsedAndBeThere) {
  EXPECT_EQ(error("UpdateItem",
                  R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"UpdateExpression":"SET v = :v",
                      "ExpressionAttributeValues":{":v":{"S":"b"},":w":{"S":"c"}}})"),
            "ValidationException: Value provided in ExpressionAttributeValues unused in "
            "expressions: keys: {:w}");
  EXPECT_EQ(error("PutItem", R"({"TableName":"Plain","Item":{"p":{"S":"a"}},
                                 "ExpressionAttributeValues":{":v":{"S":"b"}}})"),
            "ValidationException: ExpressionAttributeValues can only be specified when using "
            "expressions: ConditionExpression is null");
  const std::string nowhere =
      "ValidationException: ExpressionAttributeValues can only be specified when using expressions";
  EXPECT_EQ(error("UpdateItem", R"({"TableName":"Plain","Key":{"p":{"S":"a"}},
                                 "ExpressionAttributeValues":{":v":{"S":"b"}}})"),
            nowhere + ": UpdateExpression and ConditionExpression are null");
  EXPECT_EQ(error("Scan", R"({"TableName":"Plain","ExpressionAttributeValues":{":v":{"S":"b"}}})"),
            nowhere + ": FilterExpression is null");
  EXPECT_EQ(error("Query", R"({"TableName":"Plain","ExpressionAttributeValues":{":v":{"S":"b"}}})"),
            nowhere);
  EXPECT_EQ(error("PutItem", R"({"TableName":"Plain","Item":{"p":{"S":"a"}},
                                 "ExpressionAttributeNames":{"#v":"b"}})"),
            "ValidationException: ExpressionAttributeNames can only be specified when using "
            "expressions");
}

TEST_F(ItemTest, NamesThatNoAttributeHasAreRefused) {
  const std::string key = R"({"TableName":"Plain","Key":{"p":{"S":"a"}},)";
  EXPECT_EQ(error("UpdateItem", key + R"("UpdateExpression":"SET #a = :v",
                      "ExpressionAttributeNames":{"#a":""},
                      "ExpressionAttributeValues":{":v":{"S":"b"}}})"),
            "ValidationException: ExpressionAttributeNames contains invalid value: Empty attribute "
            "name for key #a");
  const std::string empty =
      "ValidationException: One or more parameter values were invalid: Empty attribute name";
  EXPECT_EQ(error("UpdateItem", key + R"("AttributeUpdates":{"":{"Value":{"S":"b"}}}})"), empty);
  EXPECT_EQ(error("DeleteItem", key + R"("Expected":{"":{"Exists":false}}})"), empty);
  EXPECT_EQ(
      error("Scan", R"({"TableName":"Plain","ScanFilter":{"":{"ComparisonOperator":"NULL"}}})"),
      empty);
  EXPECT_EQ(error("UpdateItem", key + R"("AttributeUpdates":{")" + std::string(65'536, 'x') +
                                    R"(":{"Value":{"S":"b"}}}})"),
            "ValidationException: One or more parameter values were invalid: Attribute name is too "
            "large, must be less than 65536 bytes");
}

TEST_F(ItemTest, WrongValuesOfExpressionsAreToldWithTheirKey) {
  auto mistake = [this](const std::string& value) {
    return error("PutItem", R"({"TableName":"Plain","Item":{"p":{"S":"a"}},
        "ConditionExpression":"v = :v","ExpressionAttributeValues":{":v":)" +
                                value + "}}");
  };
  const std::string prefix =
      "ValidationException: ExpressionAttributeValues contains invalid value: ";
  const std::string empty =
      "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
  EXPECT_EQ(mistake("{}"), prefix + empty + " for key :v");
  EXPECT_EQ(mistake("null"), prefix + empty + " for key :v");
  EXPECT_EQ(mistake(R"({"SS":[]})"),
            prefix +
                "One or more parameter values were invalid: An string set  may not be empty "
                "for key :v");
  EXPECT_EQ(mistake(R"({"S":1})").substr(0, 23), "SerializationException:");
}

TEST_F(ItemTest, ValuesOfExpressionsAreLimited) {
  const std::string half = R"({"B":")" + std::string(1'400'000, 'A') + "\"}";
  EXPECT_EQ(error("PutItem", R"({"TableName":"Plain","Item":{"p":{"S":"a"}},
                      "ConditionExpression":"v = :a OR v = :b",
                      "ExpressionAttributeValues":{":a":)" +
                                 half + R"(,":b":)" + half + "}}"),
            "ValidationException: ExpressionAttributeValues exceeds max size");
}

TEST_F(ItemTest, KeysMustFitTheSchema) {
  EXPECT_EQ(error("PutItem", R"({"TableName":"Plain","Item":{"q":{"S":"a"}}})"),
            "ValidationException: One or more parameter values were invalid: Missing the key p in "
            "the item");
  EXPECT_EQ(error("GetItem", R"({"TableName":"Plain","Key":{"q":{"S":"a"}}})"),
            "ValidationException: The provided key element does not match the schema");
  EXPECT_EQ(error("GetItem", R"({"TableName":"Plain","Key":{"p":{"S":"a"},"s":{"N":"1"}}})"),
            "ValidationException: The provided key element does not match the schema");
}

TEST_F(ItemTest, CapacityFollowsSizes) {
  std::string kilobytes(2500, 'x');
  EXPECT_EQ(ok("PutItem", R"({"TableName":"Plain","ReturnConsumedCapacity":"TOTAL",
                              "Item":{"p":{"S":"a"},"v":{"S":")" +
                              kilobytes + "\"}}}"),
            R"({"ConsumedCapacity":{"TableName":"Plain","CapacityUnits":3}})");
  EXPECT_EQ(
      ok("PutItem", R"({"TableName":"Plain","ReturnConsumedCapacity":"INDEXES",
                              "Item":{"p":{"S":"a"}}})"),
      R"({"ConsumedCapacity":{"TableName":"Plain","CapacityUnits":3,"Table":{"CapacityUnits":3}}})")
      << "the larger of the item before and after counts";
  std::string read =
      R"({"TableName":"Plain","Key":{"p":{"S":"a"}},"ReturnConsumedCapacity":"TOTAL")";
  EXPECT_EQ(
      ok("GetItem", read + "}"),
      R"({"Item":{"p":{"S":"a"}},"ConsumedCapacity":{"TableName":"Plain","CapacityUnits":0.5}})");
  EXPECT_EQ(
      ok("GetItem", read + R"(,"ConsistentRead":true})"),
      R"({"Item":{"p":{"S":"a"}},"ConsumedCapacity":{"TableName":"Plain","CapacityUnits":1}})");
}

TEST_F(ItemTest, ItemsOverTheLimitAreRefused) {
  EXPECT_EQ(error("PutItem", R"({"TableName":"Plain","Item":{"p":{"S":"a"},"v":{"S":")" +
                                 std::string(400 * 1024, 'x') + "\"}}}"),
            "ValidationException: Item size has exceeded the maximum allowed size");
}

TEST_F(ItemTest, RefusalsOfTheStoreBecomeRetryableErrors) {
  using store::WriteStatus;
  std::string put = R"({"TableName":"Plain","Item":{"p":{"S":"a"}}})";
  store_.refusals = {WriteStatus::overloaded, WriteStatus::no_such_table};
  EXPECT_EQ(error("PutItem", put).substr(0, 39), "ProvisionedThroughputExceededException:");
  EXPECT_EQ(error("PutItem", put), "ResourceNotFoundException: Requested resource not found");
  store_.refusals = {WriteStatus::clock_refused, WriteStatus::unavailable};
  EXPECT_EQ(call("PutItem", put).status, 503);
  EXPECT_EQ(call("PutItem", put).status, 503);
}

TEST_F(ItemTest, UnknownTables) {
  EXPECT_EQ(error("GetItem", R"({"TableName":"None","Key":{"p":{"S":"a"}}})"),
            "ResourceNotFoundException: Requested resource not found");
  EXPECT_EQ(error("DescribeTable", R"({"TableName":"None"})"),
            "ResourceNotFoundException: Requested resource not found: Table: None not found");
}

}  // namespace
}  // namespace meridian::test
