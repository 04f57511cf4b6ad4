#include "tests/unit/api/fixture.h"

namespace meridian::test {
namespace {

// The fake store has two log shards per table; these tests use the one that key "a" falls into.
class StreamsTest : public ApiFixture {
 protected:
  void make(const std::string& view) {
    auto made = ok("CreateTable", R"({"TableName":"Made","BillingMode":"PAY_PER_REQUEST",
        "KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":")" +
                                      view + "\"}}");
    arn_ = member(made, "LatestStreamArn");
  }
  void put(const std::string& value) {
    ok("PutItem", R"({"TableName":"Made","Item":{"p":{"S":"a"},"v":{"S":")" + value + "\"}}}");
  }
  std::string describe(const std::string& more = "") {
    return ok("DescribeStream", R"({"StreamArn":")" + arn_ + "\"" + more + "}");
  }
  std::vector<std::string> shards(const std::string& more = "") {
    std::vector<std::string> out;
    auto text = describe(more);
    for (auto at = text.find("\"ShardId\""); at != std::string::npos;
         at = text.find("\"ShardId\"", at + 1))
      out.push_back(member(text.substr(at), "ShardId"));
    return out;
  }
  // The shard whose records this test's puts go to: the one that has any.
  std::string used_shard() {
    for (const auto& shard : shards())
      if (records(iterator(shard, "TRIM_HORIZON")).find("\"Records\":[]") == std::string::npos)
        return shard;
    return {};
  }
  std::string iterator(const std::string& shard, const std::string& type,
                       const std::string& number = "") {
    auto more = number.empty() ? "" : R"(,"SequenceNumber":")" + number + "\"";
    return member(
        ok("GetShardIterator", R"({"StreamArn":")" + arn_ + R"(","ShardId":")" + shard +
                                   R"(","ShardIteratorType":")" + type + "\"" + more + "}"),
        "ShardIterator");
  }
  std::string records(const std::string& from, const std::string& more = "") {
    return ok("GetRecords", R"({"ShardIterator":")" + from + "\"" + more + "}");
  }

  std::string arn_;
};

TEST_F(StreamsTest, RecordsShowBothImages) {
  make("NEW_AND_OLD_IMAGES");
  put("1");
  put("22");
  put("22");
  ok("DeleteItem", R"({"TableName":"Made","Key":{"p":{"S":"a"}}})");
  ok("DeleteItem", R"({"TableName":"Made","Key":{"p":{"S":"a"}}})");
  auto shard = used_shard();
  auto answer = records(iterator(shard, "TRIM_HORIZON"));
  auto first = answer.substr(0, answer.find(R"(,{"eventID")"));
  auto id = member(first, "eventID");
  EXPECT_EQ(id.size(), 32u);
  auto number = member(first, "SequenceNumber");
  EXPECT_EQ(number.substr(0, 18), "100000000000000001");
  EXPECT_EQ(
      first,
      R"({"Records":[{"eventID":")" + id +
          R"(","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb",)"
          R"("awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1700000000,)"
          R"("Keys":{"p":{"S":"a"}},"NewImage":{"p":{"S":"a"},"v":{"S":"1"}},"SequenceNumber":")" +
          number + R"(","SizeBytes":6,"StreamViewType":"NEW_AND_OLD_IMAGES"}})");
  EXPECT_NE(answer.find(R"("eventName":"MODIFY")"), std::string::npos);
  EXPECT_NE(
      answer.find(
          R"("NewImage":{"p":{"S":"a"},"v":{"S":"22"}},"OldImage":{"p":{"S":"a"},"v":{"S":"1"}})"),
      std::string::npos);
  EXPECT_NE(answer.find(R"("eventName":"REMOVE")"), std::string::npos);
  // Three records: an equal put and a delete of nothing make none.
  auto last = answer.rfind("\"eventID\"");
  EXPECT_NE(answer.find("REMOVE", last), std::string::npos);
  EXPECT_FALSE(member(answer, "NextShardIterator").empty());
  EXPECT_EQ(records(member(answer, "NextShardIterator")).substr(0, 34),
            R"({"Records":[],"NextShardIterator":)");
}

TEST_F(StreamsTest, ViewTypesDecideOnImages) {
  make("KEYS_ONLY");
  put("1");
  put("2");
  auto answer = records(iterator(used_shard(), "TRIM_HORIZON"));
  EXPECT_EQ(answer.find("Image\":"), std::string::npos);
  EXPECT_NE(answer.find(R"("SizeBytes":2)"), std::string::npos);
  ok("DeleteTable", R"({"TableName":"Made"})");
  make("OLD_IMAGE");
  put("1");
  put("2");
  answer = records(iterator(used_shard(), "TRIM_HORIZON"));
  EXPECT_EQ(answer.find("NewImage"), std::string::npos);
  EXPECT_NE(answer.find(R"("OldImage":{"p":{"S":"a"},"v":{"S":"1"}})"), std::string::npos);
}

TEST_F(StreamsTest, IteratorsOfAllFourTypes) {
  make("KEYS_ONLY");
  for (int i = 0; i < 4; ++i) put(std::to_string(i));
  auto shard = used_shard();
  auto all = records(iterator(shard, "TRIM_HORIZON"), R"(,"Limit":2)");
  auto second = member(all.substr(all.rfind("\"SequenceNumber\"")), "SequenceNumber");
  auto number = [&](const std::string& answer) { return member(answer, "SequenceNumber"); };
  EXPECT_EQ(number(records(iterator(shard, "AT_SEQUENCE_NUMBER", second))), second);
  auto third = number(records(iterator(shard, "AFTER_SEQUENCE_NUMBER", second)));
  EXPECT_EQ(third, number(records(member(all, "NextShardIterator"))));
  EXPECT_GT(third, second);
  auto latest = iterator(shard, "LATEST");
  EXPECT_EQ(records(latest).substr(0, 13), R"({"Records":[])");
  put("new");
  EXPECT_EQ(number(records(latest)).substr(0, 18), "100000000000000005");
}

TEST_F(StreamsTest, ClosedShardsEndAndHaveChildren) {
  make("KEYS_ONLY");
  put("1");
  auto parent = used_shard();
  auto open = iterator(parent, "LATEST");
  EXPECT_FALSE(member(records(open), "NextShardIterator").empty());
  clock_.now_us += 1'000'000;
  store_.roll_over("Made");
  EXPECT_EQ(records(open), R"({"Records":[]})") << "no NextShardIterator at the end";
  auto drained = records(iterator(parent, "TRIM_HORIZON"));
  EXPECT_EQ(drained.find("NextShardIterator"), std::string::npos);
  EXPECT_NE(drained.find("SequenceNumber"), std::string::npos);
  EXPECT_EQ(shards().size(), 4u);
  auto children = shards(R"(,"ShardFilter":{"Type":"CHILD_SHARDS","ShardId":")" + parent + "\"}");
  ASSERT_EQ(children.size(), 1u);
  EXPECT_GT(children[0], parent);
  EXPECT_NE(describe().find(R"("ShardId":")" + children[0] + R"(","ParentShardId":")" + parent),
            std::string::npos);
  put("2");
  EXPECT_NE(records(iterator(children[0], "TRIM_HORIZON")).find("SequenceNumber"),
            std::string::npos);
}

TEST_F(StreamsTest, DescribePages) {
  make("KEYS_ONLY");
  auto all = shards();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].size(), 37u);
  auto first = describe(R"(,"Limit":1)");
  EXPECT_EQ(member(first, "LastEvaluatedShardId"), all[0]);
  auto rest = describe(R"(,"ExclusiveStartShardId":")" + all[0] + "\"");
  EXPECT_EQ(rest.find(all[0]), std::string::npos);
  EXPECT_NE(rest.find(all[1]), std::string::npos);
  EXPECT_EQ(rest.find("LastEvaluatedShardId"), std::string::npos);
  EXPECT_TRUE(shards(R"(,"ExclusiveStartShardId":")" + all[1] + "\"").empty());
  EXPECT_EQ(shards(R"(,"ExclusiveStartShardId":"shardId-00000000000000000000-ffffffff")"), all)
      << "after a shard that is trimmed come the younger ones";
}

TEST_F(StreamsTest, OldIteratorsExpireAndTrimmedDataIsGone) {
  make("KEYS_ONLY");
  for (int i = 0; i < 3; ++i) put(std::to_string(i));
  auto shard = used_shard();
  auto from = iterator(shard, "TRIM_HORIZON");
  auto number = member(records(from), "SequenceNumber");
  clock_.now_us += 15LL * 60 * 1'000'000;
  records(from);
  clock_.now_us += 1'000'000;
  EXPECT_EQ(error("GetRecords", R"({"ShardIterator":")" + from + "\"}").substr(0, 25),
            "ExpiredIteratorException:");
  from = iterator(shard, "TRIM_HORIZON");
  store_.trim_before(3);
  EXPECT_EQ(error("GetRecords", R"({"ShardIterator":")" + from + "\"}").substr(0, 27),
            "TrimmedDataAccessException:");
  EXPECT_EQ(
      error("GetShardIterator",
            R"({"StreamArn":")" + arn_ + R"(","ShardId":")" + shard +
                R"(","ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":")" + number + "\"}")
          .substr(0, 27),
      "TrimmedDataAccessException:");
  EXPECT_EQ(member(records(iterator(shard, "TRIM_HORIZON")), "SequenceNumber").substr(0, 18),
            "100000000000000003");
}

TEST_F(StreamsTest, DisabledStreamsStayReadable) {
  make("KEYS_ONLY");
  put("1");
  auto shard = used_shard();
  ok("UpdateTable", R"({"TableName":"Made","StreamSpecification":{"StreamEnabled":false}})");
  put("2");
  EXPECT_EQ(member(describe(), "StreamStatus"), "DISABLED");
  auto answer = records(iterator(shard, "TRIM_HORIZON"));
  EXPECT_EQ(answer.find("SequenceNumber"), answer.rfind("SequenceNumber"));
  EXPECT_EQ(answer.find("NextShardIterator"), std::string::npos);
  ok("UpdateTable", R"({"TableName":"Made","StreamSpecification":{"StreamEnabled":true,
                        "StreamViewType":"NEW_IMAGE"}})");
  auto list = ok("ListStreams", R"({"TableName":"Made"})");
  EXPECT_NE(list.find("2026-01-01T00:00:00.000"), std::string::npos);
  EXPECT_NE(list.find("2026-01-01T00:00:01.000"), std::string::npos);
  auto page = ok("ListStreams", R"({"Limit":1})");
  EXPECT_EQ(member(page, "LastEvaluatedStreamArn"), arn_);
  EXPECT_EQ(
      member(ok("ListStreams", R"({"ExclusiveStartStreamArn":")" + arn_ + "\"}"), "StreamLabel"),
      "2026-01-01T00:00:01.000");
}

TEST_F(StreamsTest, MistakesAreNamed) {
  make("KEYS_ONLY");
  auto shard = shards()[0];
  std::string head = R"({"StreamArn":")" + arn_ + R"(","ShardId":")" + shard + "\"";
  auto refused = [&](const std::string& operation, const std::string& body) {
    return error(operation, body).substr(0, 20);
  };
  EXPECT_EQ(refused("DescribeStream", R"({"StreamArn":"nonsense"})"), "ValidationException:");
  EXPECT_EQ(
      error("DescribeStream", R"({"StreamArn":")" + arn_ + "x\"}"),
      "ResourceNotFoundException: Requested resource not found: Stream: " + arn_ + "x not found");
  EXPECT_EQ(refused("DescribeStream",
                    R"({"StreamArn":")" + arn_ + R"(","ShardFilter":{"Type":"X","ShardId":"y"}})"),
            "ValidationException:");
  EXPECT_EQ(refused("GetShardIterator", head + R"(,"ShardIteratorType":"AT_SEQUENCE_NUMBER"})"),
            "ValidationException:");
  EXPECT_EQ(
      refused("GetShardIterator",
              head + R"(,"ShardIteratorType":"LATEST","SequenceNumber":"100000000000000001000"})"),
      "ValidationException:");
  EXPECT_EQ(refused("GetShardIterator", head + R"(,"ShardIteratorType":"EVERYTHING"})"),
            "ValidationException:");
  EXPECT_EQ(refused("GetShardIterator", head +
                                            R"(,"ShardIteratorType":"AT_SEQUENCE_NUMBER",
                           "SequenceNumber":"500000000000000001000"})"),
            "ValidationException:");
  EXPECT_EQ(error("GetShardIterator", R"({"StreamArn":")" + arn_ +
                                          R"(","ShardId":"shardId-00000000000000000000-00000000",
                           "ShardIteratorType":"LATEST"})")
                .substr(0, 26),
            "ResourceNotFoundException:");
  EXPECT_EQ(refused("GetRecords", R"({"ShardIterator":"garbage"})"), "ValidationException:");
  auto from = iterator(shard, "LATEST");
  EXPECT_EQ(refused("GetRecords", R"({"Limit":1001,"ShardIterator":")" + from + "\"}"),
            "ValidationException:");
  EXPECT_EQ(refused("ListStreams", R"({"Limit":0})"), "ValidationException:");
  EXPECT_EQ(refused("ListStreams", R"({"ExclusiveStartStreamArn":"nonsense-nonsense-nonsense"})"),
            "ValidationException:");
  EXPECT_EQ(ok("ListStreams", R"({"TableName":"Unknown"})"), R"({"Streams":[]})");
}

}  // namespace
}  // namespace meridian::test
