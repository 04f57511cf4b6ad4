#include "conflict/clock_guard.h"

#include <gtest/gtest.h>

namespace meridian::conflict {
namespace {

using State = ClockGuard::State;

TEST(ClockGuard, BelievesTheFirstSample) {
  ClockGuard guard;
  EXPECT_EQ(guard.sample(1'000'000, 50), State::trusted);
  EXPECT_EQ(guard.believed_ms(), 1'000'000);
  EXPECT_EQ(guard.step_ms(), 0);
}

TEST(ClockGuard, AdoptsSlowCorrections) {
  ClockGuard guard(500);
  std::int64_t wall = 1'000'000;
  guard.sample(wall, 0);
  for (std::int64_t now = 1000; now <= 20'000; now += 1000) {
    wall += 1400;  // 400 ms fast each second: within the bound every time
    EXPECT_EQ(guard.sample(wall, now), State::trusted);
    EXPECT_EQ(guard.believed_ms(), wall);
    EXPECT_EQ(guard.step_ms(), 400);
  }
}

TEST(ClockGuard, TheBoundItselfIsStillTrusted) {
  ClockGuard guard(500);
  guard.sample(1'000'000, 0);
  EXPECT_EQ(guard.sample(1'000'500, 0), State::trusted);
  EXPECT_EQ(guard.sample(1'001'001, 0), State::stepped);
}

TEST(ClockGuard, DoesNotAdoptAStepInEitherDirection) {
  for (std::int64_t step : {+60'000, -60'000, +501, -501}) {
    ClockGuard guard(500);
    guard.sample(1'000'000, 0);
    EXPECT_EQ(guard.sample(1'000'100 + step, 100), State::stepped);
    EXPECT_EQ(guard.believed_ms(), 1'000'100);
    EXPECT_EQ(guard.step_ms(), step);
    EXPECT_EQ(guard.sample(1'005'000 + step, 5000), State::stepped);
    EXPECT_EQ(guard.believed_ms(), 1'005'000) << "goes on by monotonic time";
  }
}

TEST(ClockGuard, SettlesWhenTheClockComesBack) {
  ClockGuard guard(500);
  guard.sample(1'000'000, 0);
  EXPECT_EQ(guard.sample(1'060'000, 0), State::stepped);
  EXPECT_EQ(guard.sample(1'010'020, 10'000), State::trusted);
  EXPECT_EQ(guard.believed_ms(), 1'010'020);
}

TEST(ClockGuard, AnOperatorMayAcceptTheStep) {
  ClockGuard guard(500);
  guard.sample(1'000'000, 0);
  EXPECT_EQ(guard.sample(1'060'000, 0), State::stepped);
  guard.accept(1'060'000, 0);
  EXPECT_EQ(guard.state(), State::trusted);
  EXPECT_EQ(guard.believed_ms(), 1'060'000);
  EXPECT_EQ(guard.sample(1'061'000, 1000), State::trusted);
}

TEST(ClockGuard, HoldsVersionsBeyondTheBound) {
  ClockGuard guard(500);
  guard.sample(1'000'000, 0);
  EXPECT_FALSE(guard.hold_ms(Hlc::at_ms(999'000)));
  EXPECT_FALSE(guard.hold_ms(Hlc::at_ms(1'000'500)));
  EXPECT_EQ(guard.hold_ms(Hlc::at_ms(1'000'501)), 1);
  EXPECT_EQ(guard.hold_ms(Hlc::at_ms(1'010'000)), 9500);
}

TEST(ClockGuard, AStepForwardDoesNotReleaseHeldVersions) {
  ClockGuard guard(500);
  guard.sample(1'000'000, 0);
  guard.sample(2'000'000, 100);
  EXPECT_TRUE(guard.hold_ms(Hlc::at_ms(1'500'000)));
}

}  // namespace
}  // namespace meridian::conflict
