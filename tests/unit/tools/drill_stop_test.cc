// What ends a drill early, and what its guard has to start when the drill is gone.
#include <gtest/gtest.h>

#include "tools/meridian/deployment.h"
#include "tools/meridian/drill/guard.h"
#include "tools/meridian/drill/stop.h"

namespace meridian::drill {
namespace {

Figures at(std::int64_t second, std::uint64_t attempts, std::uint64_t failures) {
  Figures out;
  out.now_us = second * 1'000'000;
  out.attempts = attempts;
  out.failures = failures;
  return out;
}

TEST(DrillStop, ARatioIsThatOfTheLastTenSeconds) {
  StopWatch watch({parse_stop("error_ratio>0.5")});
  EXPECT_EQ(watch.look(at(0, 0, 0)), "");
  EXPECT_EQ(watch.look(at(5, 1000, 0)), "");
  EXPECT_EQ(watch.look(at(10, 1100, 100)), "") << "100 of 1100";
  EXPECT_NE(watch.look(at(16, 1200, 200)), "") << "200 of 200 since second 6";
}

TEST(DrillStop, AFewAttemptsSayNothing) {
  StopWatch watch({parse_stop("error_ratio>0.1")});
  EXPECT_EQ(watch.look(at(0, 0, 0)), "");
  EXPECT_EQ(watch.look(at(1, 19, 19)), "");
  EXPECT_NE(watch.look(at(2, 20, 20)), "");
}

TEST(DrillStop, EachFigureHasItsLimit) {
  Figures now = at(1, 0, 0);
  now.outage_ms = 2'000;
  now.pending_max = 500;
  now.oldest_ms_max = 30'000;
  EXPECT_EQ(StopWatch({parse_stop("outage>2s")}).look(now), "") << "it has to be passed";
  EXPECT_EQ(StopWatch({parse_stop("outage>1500ms")}).look(now), "outage>1500ms (2.0 s)");
  EXPECT_EQ(StopWatch({parse_stop("pending>499")}).look(now), "pending>499 (500.00)");
  EXPECT_EQ(StopWatch({parse_stop("pending>9999"), parse_stop("lag>10s")}).look(now),
            "lag>10s (30.0 s)");
}

TEST(DrillStop, WhatCannotBeReadIsRefused) {
  for (const char* text : {"", "outage", "outage=5s", "speed>3", "error_ratio>much", "pending>-1"})
    EXPECT_THROW(parse_stop(text), cli::UsageError) << text;
}

TEST(DrillGuard, WhatIsDownIsStartedUnlessTheDrillEndedWell) {
  std::string told = "-a/region-node\n-a/replicator\n+a/region-node\n";
  EXPECT_EQ(still_down(told), std::set<std::string>{"a/replicator"});
  EXPECT_TRUE(still_down(told + ".\n").empty());
  EXPECT_TRUE(still_down("").empty());
}

TEST(DrillGuard, TheGuardSeesNothingOfADrillThatUndidItAll) {
  Guard guard([](const std::string&) { std::abort(); });
  guard.down("a/region-node");
  guard.up("a/region-node");
}

}  // namespace
}  // namespace meridian::drill
