#include "replicator/core/link_lag.h"

#include <gtest/gtest.h>

namespace meridian::replicator {
namespace {

TEST(LagWindow, ForgetsWhatIsOlderThanAsked) {
  LagWindow window;
  for (std::int64_t second = 0; second < 600; ++second) window.add(1000 + second, second * 1000);
  std::int64_t now_ms = 599'000;
  EXPECT_EQ(window.counts(now_ms, 0).count(), 0U) << "the slot under way began before";
  auto minute = window.counts(now_ms, 60'000);
  EXPECT_GE(minute.count(), 58U);
  EXPECT_LE(minute.count(), 62U);
  EXPECT_EQ(minute.max_us, 1599);
  auto all = window.counts(now_ms, LagWindow::kReachMs);
  EXPECT_GE(all.count(), 298U);
  EXPECT_LE(all.count(), 304U);
  EXPECT_EQ(window.counts(now_ms + 3'600'000, LagWindow::kReachMs).count(), 0U) << "long ago";
}

TEST(LinkLag, RecordsAndProbesAreApart) {
  LinkLag lag;
  EXPECT_FALSE(lag.applied_us() || lag.probe_us());
  lag.on_record(500, 30, 1);
  lag.on_record(400, 20, 1);
  lag.on_probe(900, 10, 2);
  EXPECT_EQ(lag.records(2, 1000).count(), 2U);
  EXPECT_EQ(lag.probes(2, 1000).count(), 1U);
  EXPECT_EQ(lag.total().count(), 2U);
  EXPECT_EQ(lag.applied_us(), 500) << "the newest, whatever came last";
  EXPECT_EQ(lag.probe_us(), 900);
}

Trend trend_of(std::int64_t (*oldest_ms)(std::int64_t second)) {
  LinkLag lag;
  for (std::int64_t second = 0; second < 20; ++second) lag.sample(oldest_ms(second), second * 1000);
  return lag.trend(19'000);
}

TEST(LinkLag, TheTrendIsThatOfTheOldest) {
  EXPECT_EQ(trend_of([](std::int64_t) { return std::int64_t{0}; }), Trend::steady);
  EXPECT_EQ(trend_of([](std::int64_t second) { return second * 1000; }), Trend::growing);
  EXPECT_EQ(trend_of([](std::int64_t second) { return (20 - second) * 1000; }), Trend::shrinking);
  EXPECT_EQ(trend_of([](std::int64_t second) { return second % 2 * 100; }), Trend::steady)
      << "noise";
  EXPECT_EQ(trend_of([](std::int64_t second) { return 60'000 + second * 10; }), Trend::steady);
}

TEST(LinkLag, TheTrendIsUnknownUntilThereIsEnough) {
  LinkLag lag;
  EXPECT_EQ(lag.trend(0), Trend::unknown);
  for (std::int64_t second = 0; second < 4; ++second) lag.sample(0, second * 1000);
  EXPECT_EQ(lag.trend(3'000), Trend::unknown);
  // What is not known is no sample.
  for (std::int64_t second = 4; second < 30; ++second) lag.sample(std::nullopt, second * 1000);
  EXPECT_EQ(lag.trend(30'000), Trend::unknown);
}

}  // namespace
}  // namespace meridian::replicator
