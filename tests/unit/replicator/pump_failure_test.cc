// The pump in trouble: every failure, what it drops, when it tries again, what it shows meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/replicator/pump_script.h"

namespace meridian::replicator {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const PumpLimits kLimits;

TEST(PumpFailure, ABrokenLinkDropsTheWindowAndAsksTheSinkAgain) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 8);
  script.page(8, 9, 20);
  EXPECT_THAT(script.batch_failed(0), IsEmpty());
  EXPECT_EQ(script.pump.state(), FlowState::backing_off);
  EXPECT_THAT(script.pump.reason(), HasSubstr("sink is unreachable"));
  EXPECT_EQ(script.pump.in_flight_batches(), 0u);
  EXPECT_EQ(script.pump.pending_records(), 24u) << "what was in flight waits again";
  EXPECT_EQ(script.pump.oldest_unacknowledged_us(), 6000) << "and goes on ageing";
  EXPECT_THAT(script.batch_failed(1), IsEmpty()) << "one outage, one back-off";
  EXPECT_EQ(script.pump.restarts(), 1u);
  EXPECT_THAT(script.page(9, 12), IsEmpty()) << "the read of before is no longer awaited";
  EXPECT_THAT(script.pass_ms(kLimits.backoff_ms_min), ElementsAre("ask"));
  EXPECT_EQ(script.pump.state(), FlowState::backing_off) << "until it is shown to be over";
  EXPECT_THAT(script.position(PumpScript::at(8)), ElementsAre("read 8"));
  EXPECT_EQ(script.pump.state(), FlowState::running);
  EXPECT_THAT(script.pump.reason(), IsEmpty());
  EXPECT_THAT(script.page(8, 10), ElementsAre("ship 8-10 #2", "read 10"));
}

// It may be another life of the sink's replica, which stands where the one before did; of what that had
// acknowledged the node knows nothing any more.
TEST(PumpFailure, ThePositionThatIsAskedForIsToldAgain) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.page(5, 8), ElementsAre("ship 5-8 #3", "read 8"));
  script.pass_ms(kLimits.save_interval_ms);
  EXPECT_THAT(script.applied(0), Contains("save 8"));
  script.page(8, 9);
  script.batch_failed(1);
  script.pass_ms(kLimits.save_interval_ms);
  EXPECT_THAT(script.position(PumpScript::at(8)), Contains("save 8"));
  script.batch_failed(1);
  script.pass_ms(kLimits.save_interval_ms);
  EXPECT_THAT(script.position({}), Not(Contains(HasSubstr("save")))) << "there is nothing to tell";
}

TEST(PumpFailure, BackOffGrowsIsBoundedAndEndsWithProgress) {
  PumpScript script;
  script.start();
  std::int64_t waited_ms = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(script.question_failed(), IsEmpty());
    std::int64_t delay_ms = 0;
    while (script.pass_ms(1).empty()) ++delay_ms;
    EXPECT_LE(delay_ms, kLimits.backoff_ms_max);
    waited_ms = delay_ms;
  }
  EXPECT_GE(waited_ms, kLimits.backoff_ms_max / 2 - 1);
  script.position(PumpScript::at(5));
  script.page(5, 6);
  script.applied(0);
  script.page(6, 7);
  script.batch_failed(1);
  EXPECT_THAT(script.pass_ms(kLimits.backoff_ms_min), Contains("ask"));
}

TEST(PumpFailure, ALinkThatIsUpAgainEndsTheWait) {
  PumpScript script;
  script.start();
  for (int i = 0; i < 10; ++i) {
    script.question_failed();
    script.pass_ms(kLimits.backoff_ms_max);
  }
  script.question_failed();
  EXPECT_THAT(script.link_up(), ElementsAre("ask"));
  EXPECT_THAT(script.link_up(), IsEmpty());
}

TEST(PumpFailure, AFailedReadNamesTheOwnRegion) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.read_failed(Failure::timed_out), IsEmpty());
  EXPECT_EQ(script.pump.state(), FlowState::backing_off);
  EXPECT_THAT(script.pump.reason(), HasSubstr("source did not answer in time"));
  EXPECT_THAT(script.pass_ms(kLimits.backoff_ms_min), ElementsAre("ask"));
}

TEST(PumpFailure, AWrongPositionIsAdoptedOnceNotPerBatch) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 6);
  script.page(6, 7);
  script.page(7, 8);
  EXPECT_THAT(script.wrong_position(0, PumpScript::at(20)), ElementsAre("read 20"));
  EXPECT_THAT(script.wrong_position(1, PumpScript::at(20)), IsEmpty());
  EXPECT_THAT(script.wrong_position(2, PumpScript::at(20)), IsEmpty());
  EXPECT_EQ(script.pump.restarts(), 1u);
  EXPECT_EQ(script.pump.acknowledged(), PumpScript::at(20));
  EXPECT_THAT(script.page(20, 21), ElementsAre("ship 20-21 #1", "read 21"));
}

TEST(PumpFailure, AWrongPositionWithoutProgressInBetweenBacksOff) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 6);
  EXPECT_THAT(script.wrong_position(0, PumpScript::at(20)), ElementsAre("read 20"));
  script.page(20, 21);
  EXPECT_THAT(script.wrong_position(1, PumpScript::at(30)), IsEmpty());
  EXPECT_EQ(script.pump.state(), FlowState::backing_off);
  EXPECT_THAT(script.pass_ms(kLimits.backoff_ms_min), Contains("ask"));
}

TEST(PumpFailure, APositionOfThePastIsNotBelieved) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 6);
  script.page(6, 7);
  script.page(7, 8);
  script.applied(1);
  EXPECT_THAT(script.wrong_position(2, PumpScript::at(5)), ElementsAre("ask"));
  EXPECT_EQ(script.pump.acknowledged(), PumpScript::at(7));
  EXPECT_THAT(script.position(PumpScript::at(7)), ElementsAre("read 7"));
}

TEST(PumpFailure, HeldIsTriedAgainSoonAndNeverCutsTheFlow) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 8);
  script.page(8, 9);
  EXPECT_THAT(script.held(0, PumpScript::at(5), 60'000), IsEmpty());
  EXPECT_EQ(script.pump.state(), FlowState::held);
  EXPECT_THAT(script.pump.reason(), HasSubstr("700 ms ahead of the clock of sink"));
  EXPECT_THAT(script.wrong_position(1, PumpScript::at(5)), IsEmpty())
      << "of the window that was dropped";
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(script.pass_ms(kLimits.held_retry_ms_max), ElementsAre("read 5"));
    EXPECT_EQ(script.pump.state(), FlowState::held);
    EXPECT_THAT(script.page(5, 8, 20), ElementsAre("ship 5-8 #3"))
        << "one batch per retry: what follows it would be refused with it";
    EXPECT_EQ(script.pump.state(), FlowState::held) << "no flicker";
    auto batch = static_cast<std::size_t>(2 + i);
    if (i == 4) break;
    EXPECT_THAT(script.held(batch, PumpScript::at(5), 60'000), IsEmpty());
  }
  auto after = script.applied(6);
  EXPECT_THAT(after, Contains("visible 3"));
  EXPECT_THAT(after, Contains("read 8"));
  EXPECT_EQ(script.pump.state(), FlowState::running);
  EXPECT_THAT(script.pump.reason(), IsEmpty());
  EXPECT_THAT(script.page(8, 9, 19), ElementsAre("ship 8-9 #1", "read 9"))
      << "and the window is used again";
}

TEST(PumpFailure, AShortHoldIsWaitedOutExactly) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 8);
  script.held(0, PumpScript::at(5), 30);
  EXPECT_THAT(script.pass_ms(29), IsEmpty());
  EXPECT_THAT(script.pass_ms(1), ElementsAre("read 5"));
}

struct Lost {
  rpc::ReadStatus status;
  const char* reason;
};

TEST(PumpFailure, ALogThatDoesNotReachBackNeedsRepairLoudlyAndIsLookedAtSlowly) {
  for (const auto& lost : {Lost{rpc::ReadStatus::trimmed, "no longer reaches back"},
                           Lost{rpc::ReadStatus::not_in_history, "another life"}}) {
    PumpScript script;
    script.start();
    script.position(PumpScript::at(5));
    EXPECT_THAT(script.bad_page(lost.status), IsEmpty());
    EXPECT_EQ(script.pump.state(), FlowState::repair_needed);
    EXPECT_THAT(script.pump.reason(), HasSubstr(lost.reason));
    EXPECT_THAT(script.pass_ms(kLimits.repair_recheck_ms - 1), ElementsAre());
    EXPECT_THAT(script.pass_ms(1), ElementsAre("ask"));
    EXPECT_EQ(script.pump.state(), FlowState::repair_needed);
    EXPECT_THAT(script.position(PumpScript::at(50)), ElementsAre("save 50", "read 50"));
    EXPECT_EQ(script.pump.state(), FlowState::repair_needed) << "until the log answers";
    script.page(50, 51);
    EXPECT_EQ(script.pump.state(), FlowState::running);
  }
}

TEST(PumpFailure, AStaleCheckpointAsksTheSinkBeforeCryingForRepair) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.bad_page(rpc::ReadStatus::trimmed), ElementsAre("ask"));
  EXPECT_EQ(script.pump.state(), FlowState::asking);
  EXPECT_THAT(script.position(PumpScript::at(90)), ElementsAre("read 90"));
  EXPECT_EQ(script.pump.state(), FlowState::running);
}

struct Refusal {
  rpc::ApplyStatus status;
  FlowState state;
  std::int64_t retry_ms;
  const char* reason;
};

const Refusal kRefusals[] = {
    {rpc::ApplyStatus::not_member, FlowState::backing_off, kLimits.backoff_ms_min,
     "not a replica"},
    {rpc::ApplyStatus::no_such_table, FlowState::backing_off, kLimits.backoff_ms_min,
     "does not have the table"},
    {rpc::ApplyStatus::wrong_identity, FlowState::repair_needed, kLimits.repair_recheck_ms,
     "another node identity"},
    {rpc::ApplyStatus::invalid, FlowState::repair_needed, kLimits.repair_recheck_ms, "invalid"},
    {rpc::ApplyStatus::unavailable, FlowState::backing_off, kLimits.backoff_ms_min,
     "refuses writes"},
};

TEST(PumpFailure, RefusalsOfABatch) {
  for (const auto& refusal : kRefusals) {
    PumpScript script;
    script.start_at(5);
    script.page(5, 8);
    rpc::ApplyOutcome outcome;
    outcome.status = refusal.status;
    EXPECT_THAT(script.outcome(0, outcome), IsEmpty()) << refusal.reason;
    EXPECT_EQ(script.pump.state(), refusal.state) << refusal.reason;
    EXPECT_THAT(script.pump.reason(), HasSubstr(refusal.reason));
    EXPECT_THAT(script.pass_ms(refusal.retry_ms), ElementsAre("ask")) << refusal.reason;
  }
}

TEST(PumpFailure, RefusalsOfTheQuestion) {
  for (const auto& refusal : kRefusals) {
    PumpScript script;
    script.start();
    EXPECT_THAT(script.no_position(refusal.status), IsEmpty()) << refusal.reason;
    EXPECT_EQ(script.pump.state(), refusal.state) << refusal.reason;
    EXPECT_THAT(script.pass_ms(refusal.retry_ms), ElementsAre("ask")) << refusal.reason;
    EXPECT_THAT(script.position(PumpScript::at(3)), Contains("read 3"));
  }
}

TEST(PumpFailure, ANewTableThatTheSinkDoesNotKnowYetIsAskedForSoonAndThenMoreSlowly) {
  PumpScript script;
  script.start();
  std::vector<std::int64_t> waits_ms;
  for (int i = 0; i < 12; ++i) {
    ASSERT_THAT(script.no_position(rpc::ApplyStatus::not_member), IsEmpty());
    std::int64_t wait_ms = 1;
    while (script.pass_ms(1).empty()) ++wait_ms;
    waits_ms.push_back(wait_ms);
  }
  EXPECT_LE(waits_ms[0] + waits_ms[1] + waits_ms[2], 7 * kLimits.backoff_ms_min);
  EXPECT_GE(waits_ms.back(), kLimits.membership_retry_ms_max / 2);
  for (auto wait_ms : waits_ms) EXPECT_LE(wait_ms, kLimits.membership_retry_ms_max);
  script.position(PumpScript::at(5));
  script.page(5, 6);
  script.applied(0);
  script.page(6, 7);
  rpc::ApplyOutcome gone;
  gone.status = rpc::ApplyStatus::no_such_table;
  EXPECT_THAT(script.outcome(1, gone), IsEmpty());
  EXPECT_THAT(script.pass_ms(kLimits.backoff_ms_min), ElementsAre("ask")) << "soon again";
}

TEST(PumpFailure, TheOwnNodeWithoutTheTableOrItsLog) {
  PumpScript script;
  script.start_at(5);
  EXPECT_THAT(script.bad_page(rpc::ReadStatus::no_such_table), IsEmpty());
  EXPECT_THAT(script.pump.reason(), HasSubstr("source does not have the table"));
  EXPECT_THAT(script.pass_ms(kLimits.backoff_ms_min), ElementsAre("ask"));
  script.position(PumpScript::at(5));
  EXPECT_THAT(script.bad_page(rpc::ReadStatus::unavailable), IsEmpty());
  EXPECT_EQ(script.pump.state(), FlowState::backing_off);
}

TEST(PumpFailure, AnswersOfBeforeAreIgnored) {
  PumpScript script;
  script.start_at(5);
  script.page(5, 8);
  script.batch_failed(0);
  script.pass_ms(kLimits.backoff_ms_min);
  script.position(PumpScript::at(5));
  EXPECT_THAT(script.applied(0), IsEmpty());
  EXPECT_EQ(script.pump.acknowledged(), PumpScript::at(5));
  EXPECT_EQ(script.pump.records_acknowledged(), 0u);
}

}  // namespace
}  // namespace meridian::replicator
