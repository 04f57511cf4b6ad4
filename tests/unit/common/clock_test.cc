#include "common/clock.h"

#include <gtest/gtest.h>

namespace meridian {
namespace {

TEST(SystemClock, MonotonicNeverGoesBack) {
  SystemClock clock;
  std::int64_t last = clock.monotonic_us();
  for (int i = 0; i < 10000; ++i) {
    std::int64_t now = clock.monotonic_us();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(SystemClock, WallIsThisCentury) {
  SystemClock clock;
  EXPECT_GT(clock.wall_ms(), 1'577'836'800'000);  // 2020
  EXPECT_LT(clock.wall_ms(), 4'102'444'800'000);  // 2100
  EXPECT_NEAR(static_cast<double>(clock.wall_us()) / 1000.0, static_cast<double>(clock.wall_ms()),
              1000.0);
}

}  // namespace
}  // namespace meridian
