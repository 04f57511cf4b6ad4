#include "common/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include "common/rng.h"

namespace meridian {
namespace {

TEST(Histogram, EmptySaysZero) {
  Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile_us(0.5), 0);
  EXPECT_EQ(histogram.max_us(), 0);
}

// The exact quantile of a sorted vector, by the same definition: the smallest value with at least
// that share of the values at or below it.
std::int64_t exact(const std::vector<std::int64_t>& sorted, double quantile) {
  auto wanted = static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(wanted, 1) - 1];
}

void expect_near_exact(Rng& rng, unsigned bits, std::size_t values) {
  Histogram histogram;
  std::vector<std::int64_t> sorted;
  for (std::size_t i = 0; i < values; ++i) {
    auto value = static_cast<std::int64_t>(rng.below(std::uint64_t{1} << rng.between(1, bits)));
    histogram.record(value);
    sorted.push_back(value);
  }
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(histogram.count(), values);
  EXPECT_EQ(histogram.max_us(), sorted.back());
  for (double quantile : {0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    std::int64_t truth = exact(sorted, quantile);
    std::int64_t told = histogram.quantile_us(quantile);
    EXPECT_GE(told, truth) << quantile;
    EXPECT_LE(told, truth + truth / 32 + 1) << quantile;
  }
}

TEST(Histogram, QuantilesAgreeWithASortedVector) {
  Rng rng(11);
  for (unsigned bits : {4u, 10u, 20u, 32u})
    for (std::size_t values : {1u, 2u, 100u, 5000u}) expect_near_exact(rng, bits, values);
}

TEST(Histogram, ClampsWhatLiesOutside) {
  Histogram histogram;
  histogram.record(-5);
  histogram.record(Histogram::kValueMaxUs + 1000);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.quantile_us(0.1), 0);
  EXPECT_EQ(histogram.max_us(), Histogram::kValueMaxUs);
  EXPECT_EQ(histogram.quantile_us(1.0), Histogram::kValueMaxUs);
}

TEST(Histogram, CountAtMostNeverExceedsTheTruth) {
  Rng rng(12);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 3000; ++i) {
    values.push_back(rng.between(0, 1'000'000));
    histogram.record(values.back());
  }
  std::uint64_t last = 0;
  for (std::int64_t bound : {0, 10, 500, 1000, 50'000, 999'999, 2'000'000}) {
    auto truth = static_cast<std::uint64_t>(std::count_if(
        values.begin(), values.end(), [bound](std::int64_t v) { return v <= bound; }));
    std::uint64_t told = histogram.count_at_most(bound);
    EXPECT_LE(told, truth);
    EXPECT_GE(told, last);
    last = told;
  }
  EXPECT_EQ(last, 3000u);
}

TEST(Histogram, CountsFromManyThreads) {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&histogram, t] {
      for (int i = 0; i < 10'000; ++i) histogram.record(t * 1000 + i % 100);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(histogram.count(), 40'000u);
  EXPECT_EQ(histogram.max_us(), 3099);
}

}  // namespace
}  // namespace meridian
