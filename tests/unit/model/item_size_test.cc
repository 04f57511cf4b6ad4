#include "region-node/model/item_size.h"

#include <gtest/gtest.h>

namespace meridian::model {
namespace {

TEST(ItemSize, Numbers) {
  const std::pair<const char*, std::size_t> cases[] = {
      {"0", 1},
      {"1", 2},
      {"10", 2},
      {"12", 2},
      {"100", 2},
      {"123", 3},
      {"-1", 3},
      {"-12", 3},
      {"1.2", 3},
      {"1.23", 3},
      {"12.3", 3},
      {"0.01", 2},
      {"0.001", 2},
      {"0.0101", 3},
      {"12345678901234567890123456789012345678", 20},
      {"1000000000000000000000000000000", 2},
      {"1001", 3},
  };
  for (const auto& [text, size] : cases) EXPECT_EQ(value_size(NumberValue{text}), size) << text;
}

TEST(ItemSize, OtherTypes) {
  EXPECT_EQ(value_size(StringValue{"h\xc3\xa9"}), 3U);
  EXPECT_EQ(value_size(BinaryValue{std::string("\0\0\0", 3)}), 3U);
  EXPECT_EQ(value_size(true), 1U);
  EXPECT_EQ(value_size(NullValue{}), 1U);
  EXPECT_EQ(value_size(AttributeMap{}), 3U);
  EXPECT_EQ(value_size(AttributeList{}), 3U);
  EXPECT_EQ(value_size(AttributeMap{{"ab", StringValue{"c"}}}), 3U + 2 + 1 + 1);
  EXPECT_EQ(value_size(AttributeList{StringValue{"abc"}, true}), 3U + 4 + 2);
  EXPECT_EQ(value_size(StringSet{{"a", "bc"}}), 3U);
  EXPECT_EQ(value_size(NumberSet{{"1", "123"}}), 5U);
  EXPECT_EQ(value_size(BinarySet{{"a", "bc"}}), 3U);
  EXPECT_EQ(item_size({{"name", StringValue{"value"}}, {"n", NumberValue{"7"}}}), 9U + 3);
}

TEST(ItemSize, Nesting) {
  EXPECT_EQ(nesting(true), 0U);
  EXPECT_EQ(nesting(StringSet{{"a"}}), 0U);
  EXPECT_EQ(nesting(AttributeMap{}), 1U);
  EXPECT_EQ(nesting(AttributeList{true, AttributeMap{{"a", AttributeList{}}}}), 3U);
}

}  // namespace
}  // namespace meridian::model
