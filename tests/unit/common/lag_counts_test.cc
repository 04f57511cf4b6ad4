#include "common/lag_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/rng.h"

namespace meridian {
namespace {

TEST(LagCounts, ABoundIsAtOrAboveItsValueAndNear) {
  Rng rng(1);
  for (int i = 0; i < 100'000; ++i) {
    auto value = static_cast<std::int64_t>(rng.next() >> (rng.below(63) + 1));
    auto bound = LagCounts::bound_of(value);
    ASSERT_GE(bound, value);
    ASSERT_LE(static_cast<double>(bound - value), static_cast<double>(value) / 128.0 + 0.5);
    ASSERT_EQ(LagCounts::bound_of(bound), bound) << "a bound counts under itself";
  }
  EXPECT_EQ(LagCounts::bound_of(-5), 0);
  EXPECT_EQ(LagCounts::bound_of(127), 127);
}

TEST(LagCounts, QuantilesAreThoseOfTheValues) {
  Rng rng(2);
  std::vector<std::int64_t> values;
  LagCounts parts[3];
  for (int i = 0; i < 10'000; ++i) {
    auto power = static_cast<double>(rng.below(1'000'000)) / 70'000.0;
    auto value = static_cast<std::int64_t>(std::exp(power));
    values.push_back(value);
    parts[i % 3].add(value);
  }
  // Put together from parts, as those of several workers are.
  LagCounts all;
  for (const auto& part : parts) all.add(part);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(all.count(), values.size());
  EXPECT_EQ(all.max_us, values.back());
  for (double quantile : {0.0001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    auto index = static_cast<std::size_t>(std::ceil(quantile * 10'000)) - 1;
    EXPECT_GE(all.quantile_us(quantile), values[index]);
    EXPECT_LE(static_cast<double>(all.quantile_us(quantile)),
              static_cast<double>(values[index]) * 1.008 + 1);
  }
}

TEST(LagCounts, NothingHasNoQuantile) {
  EXPECT_EQ(LagCounts{}.count(), 0U);
  EXPECT_EQ(LagCounts{}.quantile_us(0.99), 0);
}

}  // namespace
}  // namespace meridian
