#include "region-node/api/crc32.h"
#include "region-node/api/json_out.h"
#include "region-node/api/stream_ids.h"
#include "tests/unit/api/fixture.h"

namespace meridian::test {
namespace {

class WireTest : public ApiFixture {
 protected:
  WireTest() { make_tables(); }
  std::string refused(const std::string& value) {
    return error("PutItem", R"({"TableName":"Plain","Item":{"p":{"S":"a"},"v":)" + value + "}}");
  }
};

TEST_F(WireTest, MalformedValuesAreNamedAsAwsDoes) {
  EXPECT_EQ(
      refused("{}"),
      "ValidationException: Supplied AttributeValue is empty, must contain exactly one of the "
      "supported datatypes");
  EXPECT_EQ(refused(R"({"S":"a","N":"1"})"),
            "ValidationException: Supplied AttributeValue has more than one datatypes set, must "
            "contain exactly one of the supported datatypes");
  EXPECT_EQ(refused(R"({"SS":[]})"),
            "ValidationException: One or more parameter values were invalid: An string set  may "
            "not be empty");
  EXPECT_EQ(refused(R"({"SS":["a","a"]})"),
            "ValidationException: One or more parameter values were invalid: Input collection [a, "
            "a] contains duplicates.");
  EXPECT_EQ(refused(R"({"NS":["1","1.0"]})"),
            "ValidationException: Input collection contains duplicates");
  EXPECT_EQ(refused(R"({"NULL":false})"),
            "ValidationException: One or more parameter values were invalid: Null attribute value "
            "types must have the value of true");
  EXPECT_EQ(refused(R"({"N":"abc"})"),
            "ValidationException: The parameter cannot be converted to a numeric value: abc");
}

TEST_F(WireTest, WrongJsonTypesAreSerializationErrors) {
  EXPECT_EQ(refused(R"({"S":1})"),
            "SerializationException: NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(refused(R"({"BOOL":"x"})"),
            "SerializationException: STRING_VALUE cannot be converted to Boolean");
  EXPECT_EQ(refused(R"({"SS":"x"})"), "SerializationException: Unexpected field type");
  EXPECT_EQ(refused(R"({"S":{}})"),
            "SerializationException: Start of structure or map found where not expected.");
  EXPECT_EQ(error("PutItem", "[1]"), "SerializationException: The request is not a JSON object");
  EXPECT_EQ(error("PutItem", "{\"a\":"),
            "SerializationException: The request is not a JSON object");
  EXPECT_EQ(error("PutItem", ""), "SerializationException: The request is not a JSON object");
}

std::string nested(int levels) {
  std::string out = R"({"S":"x"})";
  for (int i = 0; i < levels; ++i) out = R"({"M":{"a":)" + out + "}}";
  return out;
}

TEST_F(WireTest, NestingReachesThirtyTwoLevels) {
  std::string item = R"({"TableName":"Plain","Item":{"p":{"S":"a"},"v":)" + nested(32) + "}}";
  ok("PutItem", item);
  EXPECT_NE(ok("GetItem", R"({"TableName":"Plain","Key":{"p":{"S":"a"}}})").find(nested(32)),
            std::string::npos);
  EXPECT_EQ(refused(nested(33)).substr(0, 64),
            "ValidationException: Nesting Levels have exceeded supported limi");
  EXPECT_EQ(refused(nested(100)).substr(0, 20), "ValidationException:");
  EXPECT_EQ(refused(nested(200)).substr(0, 23), "SerializationException:");
}

TEST_F(WireTest, ConstraintsAreReportedTogether) {
  EXPECT_EQ(error("PutItem", R"({"TableName":"a;","ReturnConsumedCapacity":"x"})"),
            "ValidationException: 3 validation errors detected: Value null at 'item' failed to "
            "satisfy constraint: Member must not be null; Value 'a;' at 'tableName' failed to "
            "satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "
            "Value 'x' at 'returnConsumedCapacity' failed to satisfy "
            "constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]");
}

TEST_F(WireTest, AnswersCarryWhatSdksCheck) {
  auto response = call("ListTables", "{}");
  EXPECT_EQ(response.body, R"({"TableNames":["Plain","Sorted"]})");
  EXPECT_EQ(response.content_type, "application/x-amz-json-1.0");
  ASSERT_EQ(response.headers.size(), 2u);
  EXPECT_EQ(response.headers[0].first, "x-amzn-RequestId");
  EXPECT_EQ(response.headers[0].second.size(), 52u);
  EXPECT_EQ(response.headers[0].second.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUV"),
            std::string::npos);
  EXPECT_EQ(response.headers[1].first, "x-amz-crc32");
  EXPECT_EQ(response.headers[1].second, std::to_string(api::crc32(response.body)));
  EXPECT_NE(call("ListTables", "{}").headers[0].second, response.headers[0].second);
}

TEST_F(WireTest, UnknownOperationsSaySo) {
  EXPECT_EQ(error("TransactWriteItems", "{}"),
            "UnknownOperationException: Operation DynamoDB_20120810.TransactWriteItems is not "
            "supported");
  // What is no text cannot be said again: the answer would be no JSON.
  EXPECT_EQ(error("Transact\xff", "{}"), "UnknownOperationException: ");
}

TEST_F(WireTest, UnknownMembersAreIgnored) {
  ok("PutItem", R"({"TableName":"Plain","Item":{"p":{"S":"a"}},"Novelty":{"x":[1,2]},
                    "ReturnValues":null})");
}

TEST(Crc32Test, KnownValues) {
  EXPECT_EQ(api::crc32(""), 0u);
  EXPECT_EQ(api::crc32("{}"), 2745614147u);
  EXPECT_EQ(api::crc32("123456789"), 0xcbf43926u);
}

TEST(StreamIdsTest, SequenceNumbersAreFixed) {
  EXPECT_EQ(api::sequence_number(ShardId(3), Sequence(42)), "100000000000000042003");
  EXPECT_EQ(api::parse_sequence_number("100000000000000042003", ShardId(3)), Sequence(42));
  EXPECT_EQ(api::parse_sequence_number("100000000000000042003", ShardId(2)), std::nullopt);
  EXPECT_EQ(api::parse_sequence_number("10000000000000004200x", ShardId(3)), std::nullopt);
  EXPECT_EQ(api::parse_sequence_number("300000000000000499659", ShardId(3)), std::nullopt);
}

TEST(StreamIdsTest, IteratorsSurviveTheTripAndGarbageDoesNot) {
  api::ShardIterator iterator{{1, 2}, "arn:x", ShardId(3), 4, Sequence(5), 6};
  auto text = api::encode_iterator(iterator);
  auto back = api::decode_iterator(text);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->table, iterator.table);
  EXPECT_EQ(back->stream_arn, "arn:x");
  EXPECT_EQ(back->shard, ShardId(3));
  EXPECT_EQ(back->generation, 4u);
  EXPECT_EQ(back->next, Sequence(5));
  EXPECT_EQ(back->issued_ms, 6);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto broken = text;
    broken[i] = broken[i] == 'B' ? 'C' : 'B';
    EXPECT_FALSE(api::decode_iterator(broken).has_value()) << broken;
    EXPECT_FALSE(api::decode_iterator(text.substr(0, i)).has_value());
  }
}

}  // namespace
}  // namespace meridian::test
