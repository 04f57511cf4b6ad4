#include "common/ids.h"

#include <gtest/gtest.h>

namespace meridian {
namespace {

TEST(RegionId, ParsesNamesWithinTheLimits) {
  EXPECT_EQ(RegionId::of("us-east-1").name(), "us-east-1");
  EXPECT_TRUE(RegionId::parse(std::string(RegionId::kBytesMax, 'a')));
  EXPECT_FALSE(RegionId::parse(std::string(RegionId::kBytesMax + 1, 'a')));
  EXPECT_FALSE(RegionId::parse(""));
  EXPECT_FALSE(RegionId::parse("US-EAST-1"));
  EXPECT_FALSE(RegionId::parse("a b"));
  EXPECT_TRUE(RegionId().empty());
}

TEST(RegionId, OrdersByName) {
  EXPECT_LT(RegionId::of("eu-west-1"), RegionId::of("us-east-1"));
  EXPECT_LT(RegionId::of("us-east-1"), RegionId::of("us-east-10"));
  EXPECT_EQ(RegionId::of("us-east-1"), RegionId::of("us-east-1"));
}

TEST(TableId, RoundTripsThroughHex) {
  TableId id{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
  EXPECT_EQ(id.hex(), "0123456789abcdeffedcba9876543210");
  EXPECT_EQ(TableId::parse(id.hex()), id);
  EXPECT_FALSE(TableId::parse("0123"));
  EXPECT_FALSE(TableId::parse("0123456789ABCDEFfedcba9876543210"));
}

TEST(StrongInt, CountsAndCompares) {
  EXPECT_EQ(Sequence(1).next(), Sequence(2));
  EXPECT_LT(Sequence(1), Sequence(2));
  EXPECT_EQ(Sequence(), Sequence(0));
}

}  // namespace
}  // namespace meridian
