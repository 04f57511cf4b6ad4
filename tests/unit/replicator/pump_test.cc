// The pump when all goes well: what it asks for, in which order, and how much at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/replicator/pump_script.h"

namespace meridian::replicator {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Pump, AsksWithoutCheckpointAndReadsFromTheAnswer) {
  PumpScript script;
  EXPECT_THAT(script.start(), ElementsAre("ask"));
  EXPECT_EQ(script.pump.state(), FlowState::asking);
  EXPECT_THAT(script.position(PumpScript::at(5)), ElementsAre("read 5"));
  EXPECT_EQ(script.pump.state(), FlowState::running);
}

TEST(Pump, ACheckpointSavesTheQuestion) {
  PumpScript script;
  EXPECT_THAT(script.start_at(5), ElementsAre("read 5"));
}

TEST(Pump, ShipsAtOnceAndReadsOnWhileTheBatchIsUnderWay) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.page(5, 8), ElementsAre("ship 5-8 #3", "read 8"));
  EXPECT_THAT(script.page(8, 9), ElementsAre("ship 8-9 #1", "read 9"));
  EXPECT_EQ(script.pump.in_flight_batches(), 2u);
  EXPECT_EQ(script.pump.pending_records(), 4u);
  EXPECT_EQ(script.pump.oldest_unacknowledged_us(), 6000);
}

TEST(Pump, SavesWhatIsAcknowledgedAtMostEveryInterval) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 8);
  script.page(8, 9);
  EXPECT_THAT(script.applied(0), ElementsAre("visible 3"));
  EXPECT_EQ(script.pump.acknowledged(), PumpScript::at(8));
  EXPECT_THAT(script.applied(1), ElementsAre("visible 1"));
  EXPECT_THAT(script.pass_ms(199), IsEmpty());
  EXPECT_THAT(script.pass_ms(1), ElementsAre("save 9"));
  EXPECT_THAT(script.pass_ms(5000), IsEmpty());
  EXPECT_EQ(script.pump.records_acknowledged(), 4u);
  EXPECT_EQ(script.pump.state(), FlowState::waiting);
}

TEST(Pump, NeverSavesWhatIsOnlyShipped) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 8);
  EXPECT_THAT(script.pass_ms(10'000), IsEmpty());
  EXPECT_THAT(script.stop(), IsEmpty());
}

TEST(Pump, AnAnswerCoversTheBatchesBeforeIt) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 6);
  script.page(6, 7);
  script.page(7, 8);
  EXPECT_THAT(script.applied(1), ElementsAre("visible 1", "visible 1"));
  EXPECT_EQ(script.pump.acknowledged(), PumpScript::at(7));
  EXPECT_THAT(script.applied(0), IsEmpty()) << "answered already, by the one after it";
  EXPECT_EQ(script.pump.in_flight_batches(), 1u);
}

TEST(Pump, TheWindowBoundsBatchesInFlight) {
  PumpLimits limits;
  limits.window_batches_max = 3;
  PumpScript script(limits);
  script.start_at(0);
  EXPECT_THAT(script.page(0, 1), Contains("read 1"));
  EXPECT_THAT(script.page(1, 2), Contains("read 2"));
  EXPECT_THAT(script.page(2, 3), ElementsAre("ship 2-3 #1"));
  EXPECT_THAT(script.applied(0), ElementsAre("visible 1", "read 3"));
}

TEST(Pump, TheWindowBoundsBytesInFlightAndKeepsBatchesWhole) {
  PumpLimits limits;
  limits.batch_bytes_max = 1000;
  limits.window_bytes_max = 2000;
  PumpScript script(limits);
  script.start_at(0);
  EXPECT_THAT(script.page(0, 1, 10, 900), Contains("read 1"));
  EXPECT_THAT(script.page(1, 2, 9, 900), Not(Contains("read 2")));
  EXPECT_THAT(script.applied(0), Contains("read 2"));
  EXPECT_LE(script.pump.in_flight_bytes(), limits.window_bytes_max);
}

TEST(Pump, ARecordLargerThanTheWindowStillTravels) {
  PumpLimits limits;
  limits.batch_bytes_max = 1000;
  limits.window_bytes_max = 1000;
  PumpScript script(limits);
  script.start_at(0);
  EXPECT_THAT(script.page(0, 1, 1, 5000), ElementsAre("ship 0-1 #1"));
  EXPECT_THAT(script.applied(0), ElementsAre("visible 1", "read 1"));
}

TEST(Pump, CaughtUpItWaitsAtTheLog) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.page(5, 5), ElementsAre("read 5"));
  EXPECT_EQ(script.pump.state(), FlowState::waiting);
  EXPECT_EQ(script.reads.back().wait_ms, PumpLimits{}.read_wait_ms);
  EXPECT_THAT(script.page(5, 6), ElementsAre("ship 5-6 #1", "read 6"));
  EXPECT_EQ(script.pump.state(), FlowState::running);
}

TEST(Pump, ForeignRangesAdvanceTheSinkAtMostEveryInterval) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.page(5, 6), Contains("ship 5-6 #1"));
  script.applied(0);
  EXPECT_THAT(script.foreign_page(9), ElementsAre("read 9"));
  EXPECT_THAT(script.foreign_page(12), ElementsAre("read 12"));
  EXPECT_THAT(script.pass_ms(999), ElementsAre("save 6"));
  EXPECT_THAT(script.pass_ms(1), ElementsAre("ship 6-12 #0"));
  EXPECT_THAT(script.applied(1), ElementsAre("save 12"));
}

TEST(Pump, ForeignRangesGoWithTheLocalRecordsThatFollow) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 6);
  script.applied(0);
  script.foreign_page(9);
  EXPECT_THAT(script.page(9, 10), ElementsAre("ship 6-10 #1", "read 10"));
}

TEST(Pump, StopSavesWhatIsAcknowledged) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 8);
  script.applied(0);
  EXPECT_THAT(script.stop(), ElementsAre("save 8"));
  EXPECT_EQ(script.pump.state(), FlowState::stopped);
  EXPECT_THAT(script.stop(), IsEmpty());
  EXPECT_THAT(script.pass_ms(60'000), IsEmpty());
  EXPECT_THAT(script.page(8, 9), IsEmpty());
}

}  // namespace
}  // namespace meridian::replicator
