#include "rpc/clock_offset.h"

#include <gtest/gtest.h>

namespace meridian::rpc {
namespace {

// Our wall clock is 1000 s ahead of our monotonic one; theirs is `ahead_us` ahead of ours.
constexpr std::int64_t kWallMinusMonotonicUs = 1'000'000'000;

void ping(ClockOffset& offset, std::int64_t sent_us, std::int64_t there_us, std::int64_t back_us,
          std::int64_t ahead_us) {
  offset.add(sent_us, sent_us + there_us + kWallMinusMonotonicUs + ahead_us,
             sent_us + there_us + back_us);
}

std::optional<std::int64_t> read(const ClockOffset& offset, std::int64_t monotonic_us) {
  return offset.offset_us(monotonic_us + kWallMinusMonotonicUs, monotonic_us);
}

TEST(ClockOffset, UnknownBeforeTheFirstAnswer) {
  ClockOffset offset;
  EXPECT_FALSE(read(offset, 0));
  EXPECT_FALSE(offset.round_trip_us());
}

TEST(ClockOffset, TheFastestRoundTripIsBelieved) {
  ClockOffset offset;
  ping(offset, 0, 90'000, 10'000, 5000);  // lopsided: wrong by 40 ms
  EXPECT_EQ(read(offset, 100'000), 45'000);
  ping(offset, 1'000'000, 1000, 1000, 5000);
  EXPECT_EQ(read(offset, 1'100'000), 5000);
  EXPECT_EQ(offset.round_trip_us(), 2000);
  ping(offset, 2'000'000, 10'000, 90'000, 5000);
  EXPECT_EQ(read(offset, 2'100'000), 5000);
}

TEST(ClockOffset, AStepOfTheirClockIsSeenAtOnce) {
  ClockOffset offset;
  ping(offset, 0, 100, 100, 0);
  ping(offset, 1'000'000, 5000, 5000, -2'000'000);
  EXPECT_EQ(read(offset, 1'100'000), -2'000'000);
}

TEST(ClockOffset, AStepOfOurClockIsSeenAtOnce) {
  ClockOffset offset;
  ping(offset, 0, 100, 100, 0);
  EXPECT_EQ(offset.offset_us(1'000'000 + kWallMinusMonotonicUs + 3'000'000, 1'000'000), -3'000'000);
}

TEST(ClockOffset, OldSamplesAreForgotten) {
  ClockOffset offset;
  ping(offset, 0, 10, 10, 0);
  for (int i = 1; i <= 20; ++i) ping(offset, i * 1'000'000, 500, 500, 0);
  EXPECT_EQ(offset.round_trip_us(), 1000);
}

}  // namespace
}  // namespace meridian::rpc
