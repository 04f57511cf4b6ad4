#include "common/rng.h"

#include <gtest/gtest.h>

#include <array>

namespace meridian {
namespace {

TEST(Rng, OneSeedOneSequence) {
  Rng a(42);
  Rng b(42);
  Rng c(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    std::uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    differs |= value != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Rng, StaysInBoundsAndReachesThem) {
  Rng rng(7);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) ++seen[rng.below(6)];
  for (int count : seen) EXPECT_GT(count, 800);  // 1000 expected; 800 is over six deviations away
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1000; ++i) {
    std::int64_t value = rng.between(-2, 2);
    ASSERT_GE(value, -2);
    ASSERT_LE(value, 2);
    low |= value == -2;
    high |= value == 2;
  }
  EXPECT_TRUE(low && high);
  EXPECT_FALSE(rng.percent(0));
  EXPECT_TRUE(rng.percent(100));
}

TEST(Rng, SystemSeedsDiffer) {
  Rng a = Rng::from_system();
  Rng b = Rng::from_system();
  EXPECT_NE(a.next(), b.next());
}

}  // namespace
}  // namespace meridian
