#include "common/clock.h"

#include <gtest/gtest.h>

#include "common/shifted_clock.h"

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

class HandClock final : public Clock {
 public:
  std::int64_t wall = 1'000'000'000;
  std::int64_t monotonic = 5'000'000;
  [[nodiscard]] std::int64_t wall_us() const override { return wall; }
  [[nodiscard]] std::int64_t monotonic_us() const override { return monotonic; }
};

TEST(ShiftedClock, IsOffForTheStatedTimeAndRightAgainByItself) {
  HandClock truth;
  ShiftedClock clock(truth);
  EXPECT_EQ(clock.wall_us(), truth.wall);
  clock.shift(-600'000, 30'000);
  EXPECT_EQ(clock.wall_us(), truth.wall - 600'000'000);
  EXPECT_EQ(clock.monotonic_us(), truth.monotonic);
  truth.monotonic += 29'999'999;
  EXPECT_EQ(clock.shift_us(), -600'000'000);
  truth.monotonic += 1;
  EXPECT_EQ(clock.wall_us(), truth.wall);
  EXPECT_EQ(clock.left_us(), 0);
}

TEST(ShiftedClock, ALaterShiftTakesThePlaceOfTheEarlierAndRestoreEndsIt) {
  HandClock truth;
  ShiftedClock clock(truth);
  clock.shift(600'000, 30'000);
  clock.shift(1'000, 60'000);
  EXPECT_EQ(clock.shift_us(), 1'000'000);
  EXPECT_EQ(clock.left_us(), 60'000'000);
  clock.restore();
  EXPECT_EQ(clock.wall_us(), truth.wall);
}

}  // namespace
}  // namespace meridian
