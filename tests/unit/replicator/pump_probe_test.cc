// Probes: what an idle flow ships, and what it learns from it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/replicator/pump_script.h"

namespace meridian::replicator {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

TEST(PumpProbe, AnIdleFlowMeasuresTheWay) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.idle_page(5, 4'000'000), ElementsAre("ship 5-5 #0", "read 5"));
  EXPECT_THAT(script.applied(0), ElementsAre("probe 4000000-5000000"));
  EXPECT_EQ(script.pump.state(), FlowState::waiting);
  EXPECT_EQ(script.pump.pending_records(), 0U);
  EXPECT_EQ(script.pump.records_shipped(), 0U);
}

TEST(PumpProbe, NotMoreOftenThanItShould) {
  PumpScript script;
  script.start_at(5);
  script.idle_page(5, 4'000'000);
  script.applied(0);
  script.now_ms += 499;
  EXPECT_THAT(script.idle_page(5, 4'499'000), ElementsAre("read 5"));
  script.now_ms += 1;
  EXPECT_THAT(script.idle_page(5, 4'500'000), ElementsAre("ship 5-5 #0", "read 5"));
  // Unanswered, it is not followed by another.
  script.now_ms += 5'000;
  EXPECT_THAT(script.idle_page(5, 9'500'000), ElementsAre("read 5"));
}

TEST(PumpProbe, NoneOfASourceThatDoesNotSayItsTimeNorWhenTurnedOff) {
  PumpScript silent;
  silent.start_at(5);
  EXPECT_THAT(silent.idle_page(5, 0), ElementsAre("read 5"));
  PumpLimits limits;
  limits.probe_ms = 0;
  PumpScript off(limits);
  off.start_at(5);
  EXPECT_THAT(off.idle_page(5, 4'000'000), ElementsAre("read 5"));
}

TEST(PumpProbe, NoneWhileRecordsFlow) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.page(5, 8, 10), ElementsAre("ship 5-8 #3", "read 8"));
  EXPECT_THAT(script.idle_page(8, 4'000'000), ElementsAre("read 8"));
}

TEST(PumpProbe, TakesThePositionPastForeignRecordsAlong) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.idle_page(9, 4'000'000), ElementsAre("ship 5-9 #0", "read 9"));
  script.applied(0);
  EXPECT_EQ(script.pump.acknowledged(), PumpScript::at(9));
}

TEST(PumpProbe, DoesNotMoveThePositionMoreOftenThanAllowed) {
  PumpScript script;
  script.start_at(5);
  script.idle_page(9, 4'000'000);
  script.applied(0);
  script.now_ms += 600;  // a probe is due, an idle advance is not
  EXPECT_THAT(script.idle_page(12, 4'600'000), ElementsAre("save 9", "read 12"));
  script.now_ms += 400;
  EXPECT_THAT(script.idle_page(12, 5'000'000), ElementsAre("ship 9-12 #0", "read 12"));
}

TEST(PumpProbe, AnIdleFlowNoticesThatItsSinkIsGone) {
  PumpScript script;
  script.start_at(5);
  script.idle_page(5, 4'000'000);
  script.batch_failed(0);
  EXPECT_EQ(script.pump.state(), FlowState::backing_off);
  EXPECT_FALSE(script.pump.reason().empty());
}

TEST(PumpProbe, AnIdleFlowNoticesThatItsSinkHasLostItsPosition) {
  PumpScript script;
  script.start_at(5);
  script.idle_page(5, 4'000'000);
  EXPECT_THAT(script.wrong_position(0, PumpScript::at(2)), ElementsAre("read 2"));
}

// The sink's replica may have begun another life unnoticed, and stand where it stood before.
TEST(PumpProbe, WhatStandsStillIsToldAgainNowAndThen) {
  for (auto shard : {ShardId(0), ShardId(3)}) {
    PumpScript script({}, shard);
    script.start_at(5);
    script.idle_page(5, 4'000'000);
    EXPECT_THAT(script.applied(0), Not(Contains("save 5")));
    script.now_ms += 30'000;
    script.idle_page(5, 34'000'000);
    EXPECT_THAT(script.applied(1), Contains("save 5"));
  }
}

TEST(PumpProbe, AnotherShardMakesSureOfItsPositionNowAndThen) {
  PumpScript script({}, ShardId(3));
  script.start_at(5);  // a hint
  EXPECT_THAT(script.idle_page(5, 4'000'000), ElementsAre("ship 5-5 #0", "read 5"));
  EXPECT_THAT(script.applied(0), ElementsAre());  // it measures nothing
  script.now_ms += 29'999;
  EXPECT_THAT(script.idle_page(5, 34'000'000), ElementsAre("read 5"));
  script.now_ms += 1;
  EXPECT_THAT(script.idle_page(5, 34'001'000), ElementsAre("ship 5-5 #0", "read 5"));
  // The sink is an older copy of itself: it is asked, and is given again what it has lost.
  EXPECT_THAT(script.wrong_position(1, PumpScript::at(2)), ElementsAre("ask"));
  EXPECT_THAT(script.position(PumpScript::at(2)), ElementsAre("save 2", "read 2"));
  EXPECT_THAT(script.page(2, 5), ElementsAre("ship 2-5 #3", "read 5"));
}

}  // namespace
}  // namespace meridian::replicator
