#include "region-node/model/key.h"

#include <gtest/gtest.h>

#include "region-node/model/number.h"
#include "tests/unit/model/random_values.h"

namespace meridian::model {
namespace {

using enum AttributeType;

KeySchema hash_only(AttributeType type) { return {{"pk", type}, std::nullopt}; }
KeySchema with_sort(AttributeType partition, AttributeType sort) {
  return {{"pk", partition}, KeyAttribute{"sk", sort}};
}

AttributeValue random_key_value(Rng& rng, AttributeType type) {
  if (type == N) return NumberValue{random_number(rng)};
  std::string bytes = random_bytes(rng, 4) + "a";
  if (rng.percent(50)) bytes.insert(bytes.begin(), '\0');
  if (type == S) return StringValue{std::move(bytes)};
  return BinaryValue{std::move(bytes)};
}

std::strong_ordering order_of(const AttributeValue& a, const AttributeValue& b) {
  if (const auto* number = a.as<NumberValue>())
    return compare_numbers(number->text, b.as<NumberValue>()->text);
  if (const auto* text = a.as<StringValue>()) return text->text <=> b.as<StringValue>()->text;
  return a.as<BinaryValue>()->bytes <=> b.as<BinaryValue>()->bytes;
}

TEST(Key, OrderIsPartitionThenSortByValue) {
  Rng rng(31);
  for (auto partition : {S, N, B}) {
    for (auto sort : {S, N, B}) {
      KeySchema schema = with_sort(partition, sort);
      for (int i = 0; i < 2'000; ++i) {
        Item a{{"pk", random_key_value(rng, partition)}, {"sk", random_key_value(rng, sort)}};
        Item b{{"pk", rng.percent(40) ? a["pk"] : random_key_value(rng, partition)},
               {"sk", rng.percent(20) ? a["sk"] : random_key_value(rng, sort)}};
        auto expected = order_of(a["pk"], b["pk"]);
        if (expected == 0) expected = order_of(a["sk"], b["sk"]);
        Bytes key_a = encode_key(schema, a).value();
        Bytes key_b = encode_key(schema, b).value();
        EXPECT_EQ(key_a <=> key_b, expected);
        EXPECT_EQ(decode_key(schema, key_a), a);
        EXPECT_EQ(encode_exact_key(schema, a).value(), key_a);
        Bytes prefix = encode_partition(schema, a["pk"]).value();
        EXPECT_EQ(partition_part(schema, key_a), BytesView(prefix));
        EXPECT_EQ(prefix + encode_sort(schema, a["sk"]).value(), key_a);
        EXPECT_EQ(key_b.starts_with(prefix), order_of(a["pk"], b["pk"]) == 0);
        EXPECT_EQ(shard_of(schema, key_a, 4), shard_of(schema, prefix, 4));
      }
    }
  }
}

TEST(Key, EncodingIsPinned) {
  KeySchema schema = with_sort(S, S);
  Item item{{"pk", StringValue{std::string("a\0b", 3)}}, {"sk", StringValue{"c"}}};
  EXPECT_EQ(to_hex(encode_key(schema, item).value()),
            "6100ff62"
            "0001"
            "63");
  EXPECT_EQ(to_hex(encode_partition(hash_only(N), NumberValue{"12"}).value()), "03830d00");
}

TEST(Key, ShardsArePinnedAndSpread) {
  KeySchema schema = hash_only(S);
  std::vector<int> counts(8);
  for (int i = 0; i < 8'000; ++i) {
    Item item{{"pk", StringValue{"user-" + std::to_string(i)}}};
    ++counts[shard_of(schema, encode_key(schema, item).value(), 8).value];
  }
  for (int count : counts) EXPECT_NEAR(count, 1000, 150);
  Bytes key = encode_key(schema, {{"pk", StringValue{"user-1"}}}).value();
  EXPECT_EQ(shard_of(schema, key, 64).value, hash64(key) % 64);
  EXPECT_EQ(shard_of(schema, key, 1).value, 0);
}

TEST(Key, ErrorsOfItems) {
  KeySchema schema = with_sort(S, N);
  const std::string invalid = "One or more parameter values were invalid: ";
  EXPECT_EQ(encode_key(schema, {}).error(), invalid + "Missing the key pk in the item");
  EXPECT_EQ(encode_key(schema, {{"pk", StringValue{"a"}}}).error(),
            invalid + "Missing the key sk in the item");
  EXPECT_EQ(encode_key(schema, {{"pk", NumberValue{"1"}}}).error(),
            invalid + "Type mismatch for key pk expected: S actual: N");
  EXPECT_EQ(encode_key(schema, {{"pk", StringValue{"a"}}, {"sk", NullValue{}}}).error(),
            invalid + "Type mismatch for key sk expected: N actual: NULL");
  EXPECT_EQ(encode_key(schema, {{"pk", StringValue{""}}}).error(),
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty string value. Key: pk");
  EXPECT_EQ(encode_key(hash_only(B), {{"pk", BinaryValue{""}}}).error(),
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty binary value. Key: pk");
  EXPECT_EQ(encode_key(schema, {{"pk", StringValue{std::string(2049, 'a')}}}).error(),
            invalid + "Size of hashkey has exceeded the maximum size limit of2048 bytes");
  EXPECT_TRUE(encode_key(hash_only(S), {{"pk", StringValue{std::string(2048, 'a')}}}).ok());
  KeySchema bytes = with_sort(S, B);
  Item item{{"pk", StringValue{"a"}}, {"sk", BinaryValue{std::string(1025, 'a')}}};
  EXPECT_EQ(
      encode_key(bytes, item).error(),
      invalid + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes");
  item["sk"] = BinaryValue{std::string(1024, 'a')};
  EXPECT_TRUE(encode_key(bytes, item).ok());
}

TEST(Key, ErrorsOfKeyArguments) {
  const std::string mismatch = "The provided key element does not match the schema";
  KeySchema schema = with_sort(S, S);
  EXPECT_EQ(encode_exact_key(schema, {}).error(), mismatch);
  EXPECT_EQ(encode_exact_key(schema, {{"pk", StringValue{"a"}}}).error(), mismatch);
  EXPECT_EQ(encode_exact_key(hash_only(S), {{"pk", NumberValue{"1"}}}).error(), mismatch);
  EXPECT_EQ(encode_exact_key(hash_only(S), {{"a", StringValue{"1"}}}).error(), mismatch);
  EXPECT_EQ(
      encode_exact_key(hash_only(S), {{"pk", StringValue{"a"}}, {"b", StringValue{"1"}}}).error(),
      mismatch);
  const std::string type =
      "One or more parameter values were invalid: Condition parameter type does not match schema "
      "type";
  EXPECT_EQ(encode_partition(schema, NumberValue{"1"}).error(), type);
  EXPECT_EQ(encode_sort(schema, NumberValue{"1"}).error(), type);
}

TEST(Key, MalformedKeysAreRefused) {
  KeySchema strings = with_sort(S, S);
  for (const char* hex : {"", "61", "6100", "610001", "6100026162", "000161", "61000102000"})
    if (auto bytes = from_hex(hex)) {
      EXPECT_FALSE(decode_key(strings, *bytes).has_value()) << hex;
    }
  EXPECT_FALSE(decode_key(hash_only(S), *from_hex("61000161")).has_value());
  EXPECT_FALSE(decode_key(hash_only(N), *from_hex("0202")).has_value());
  EXPECT_FALSE(decode_key(with_sort(N, N), *from_hex("02")).has_value());
  EXPECT_FALSE(partition_part(strings, "abc").has_value());
  EXPECT_NO_FATAL_FAILURE(shard_of(strings, "abc", 4));
}

TEST(Key, RandomBytesDecodeToWhatEncodesAlike) {
  Rng rng(32);
  for (int i = 0; i < 100'000; ++i) {
    AttributeType types[] = {S, N, B};
    KeySchema schema = with_sort(types[rng.below(3)], types[rng.below(3)]);
    if (rng.percent(30)) schema.sort.reset();
    Bytes bytes = random_bytes(rng, 12);
    if (schema.partition.type == N) bytes.insert(0, *from_hex("03820b00"));
    if (auto item = decode_key(schema, bytes)) {
      EXPECT_EQ(encode_key(schema, *item).value(), bytes);
    }
  }
}

TEST(Key, PrefixEnd) {
  EXPECT_EQ(prefix_end("a"), "b");
  EXPECT_EQ(prefix_end("ab"), "ac");
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("a\xff\xff"), "b");
  EXPECT_EQ(prefix_end("\x7f"), "\x80");
  EXPECT_FALSE(prefix_end("\xff\xff").has_value());
  EXPECT_FALSE(prefix_end("").has_value());
}

}  // namespace
}  // namespace meridian::model
