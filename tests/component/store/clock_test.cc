// Clocks that disagree: versions held from elsewhere, their release, and the own clock at the start.
#include "conflict/hlc.h"
#include "region-node/store/held_flows.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using rpc::ApplyStatus;

class ClockTest : public StoreTest {
 protected:
  static constexpr std::int64_t kAheadMs = 600'000;

  static LogPosition at(std::uint64_t sequence) { return {StartId(900), Sequence(sequence)}; }

  bool release(conflict::Hlc until) {
    bool taken = false;
    store_->release_versions(kThere, until, [&taken](bool done) { taken = done; });
    store_->run_pending();
    return taken;
  }
  ClockReport report() {
    store_->run_pending();
    return store_->clock_report();
  }
};

TEST_F(ClockTest, WhatIsHeldIsReportedUntilItIsApplied) {
  auto table = create_global();
  EXPECT_TRUE(report().held.empty());
  auto record = remote_put(1, "a", "1", now_ms() + kAheadMs);
  EXPECT_EQ(apply(table, {}, at(1), {record}).status, ApplyStatus::held);
  clock_.advance_ms(200);
  EXPECT_EQ(apply(table, {}, at(1), {record}).status, ApplyStatus::held);
  auto held = report().held;
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0].source, kThere);
  EXPECT_EQ(held[0].flows, 1U);
  EXPECT_EQ(held[0].furthest, record.version.hlc);
  EXPECT_EQ(held[0].ahead_ms, kAheadMs - 200);
  EXPECT_EQ(held[0].for_ms, 200);
  clock_.advance_ms(kAheadMs);
  EXPECT_EQ(apply(table, {}, at(1), {record}).status, ApplyStatus::applied);
  EXPECT_TRUE(report().held.empty());
}

TEST_F(ClockTest, AHeldFlowThatNobodyShipsIsForgotten) {
  auto table = create_global();
  apply(table, {}, at(1), {remote_put(1, "a", "1", now_ms() + kAheadMs)});
  clock_.advance_ms(HeldFlows::kForgetMs);
  EXPECT_EQ(report().held.size(), 1U);
  clock_.advance_ms(1);
  EXPECT_TRUE(report().held.empty());
}

TEST_F(ClockTest, AReleaseTakesWhatIsHeldAndNothingLater) {
  auto table = create_global();
  auto record = remote_put(1, "a", "1", now_ms() + kAheadMs);
  auto later = remote_put(2, "b", "1", now_ms() + kAheadMs + 1000);
  EXPECT_EQ(apply(table, {}, at(1), {record}).status, ApplyStatus::held);
  EXPECT_TRUE(release(record.version.hlc));
  reopen();  // an operator's word outlives the process
  EXPECT_EQ(apply(table, {}, at(1), {record}).status, ApplyStatus::applied);
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  EXPECT_EQ(apply(table, at(1), at(2), {later}).status, ApplyStatus::held);
  EXPECT_EQ(report().released.at(kThere), record.version.hlc);
}

TEST_F(ClockTest, WhatIsReleasedDoesNotTakeTheOwnClockAlong) {
  auto table = create_global();
  auto record = remote_put(1, "a", "1", now_ms() + kAheadMs);
  release(record.version.hlc);
  EXPECT_EQ(apply(table, {}, at(1), {record}).status, ApplyStatus::applied);
  auto other = put(table, "b", "1");
  EXPECT_EQ(other.status, WriteStatus::committed);
  EXPECT_EQ(other.version.hlc.physical_ms(), now_ms());
  // It would have to exceed what it replaces.
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::clock_refused);
  reopen();
  EXPECT_EQ(put(table, "b", "2").status, WriteStatus::committed);
  clock_.advance_ms(kAheadMs);
  auto on_top = put(table, "a", "2");
  EXPECT_EQ(on_top.status, WriteStatus::committed);
  EXPECT_TRUE(record.version < on_top.version);
  clock_.advance_ms(2'000);
  EXPECT_TRUE(report().released.empty()) << "the clock has come that far";
  reopen();
  EXPECT_TRUE(report().released.empty());
  check();
}

// (It may be told again: it has to wait until this clock has come that far.)
TEST_F(ClockTest, AReleaseIsNotForAChangeOfMembership) {
  auto table = create_global();
  conflict::Version changed{conflict::Hlc::at_ms(now_ms() + kAheadMs), kThere};
  release(changed.hlc);
  auto tell = [&] {
    return control([&](ControlDone done) {
      store_->merge_replicas(table->id, {{kThere, {true, changed, false, false, changed}}},
                             std::move(done));
    });
  };
  auto told = tell();
  ASSERT_FALSE(told.ok());
  EXPECT_EQ(told.error(), ControlError::unavailable);
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::committed);
  clock_.advance_ms(kAheadMs);
  EXPECT_TRUE(tell().ok());
}

TEST_F(ClockTest, RowsFromBeyondTheBoundAreHeldAndReleasedAlike) {
  auto table = create_global();
  auto record = remote_put(1, "a", "1", now_ms() + kAheadMs);
  auto apply_rows = [&] {
    rpc::RowsBatch batch;
    batch.table = table->id;
    batch.source = kElsewhere;
    batch.rows.push_back({record.key, record.version, record.context, record.new_image});
    rpc::RowsOutcome told;
    store_->apply_rows(std::move(batch), [&told](const rpc::RowsOutcome& out) { told = out; });
    store_->run_pending();
    return told.status;
  };
  EXPECT_EQ(apply_rows(), ApplyStatus::held);
  auto held = report().held;
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0].source, kThere) << "the origin is ahead, not who carries it";
  EXPECT_TRUE(release(record.version.hlc));
  EXPECT_EQ(apply_rows(), ApplyStatus::applied);
  EXPECT_TRUE(report().held.empty());
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
}

TEST_F(ClockTest, OtherRegionsAreNotReleasedWithIt) {
  auto table = create_global();
  auto foreign = remote_put(1, "a", "1", now_ms() + kAheadMs);
  bool taken = false;
  store_->release_versions(kElsewhere, foreign.version.hlc, [&taken](bool done) { taken = done; });
  EXPECT_EQ(apply(table, {}, at(1), {foreign}).status, ApplyStatus::held);
  EXPECT_TRUE(taken);
}

TEST_F(ClockTest, AParkedRecordFromBeyondTheBoundIsNotRetried) {
  auto table = create_global();
  auto record = remote_put(1, "a", "1", now_ms());
  record.new_image = "poison";
  apply(table, {}, at(1), {record});
  close();
  clock_.step_ms(-kAheadMs);
  options_.accept_old_clock = true;
  open();
  ParkedOutcome outcome;
  store_->decide_parked({table->id, record.key, record.version, ParkedAction::retry},
                        [&outcome](const ParkedOutcome& told) { outcome = told; });
  store_->run_pending();
  EXPECT_EQ(outcome.status, ParkedStatus::held);
  EXPECT_EQ(store_->open_reader()->parked(table->id, 10, 0).size(), 1U);
}

TEST_F(ClockTest, AClockBehindTheNewestVersionIsRefusedAtTheStart) {
  auto table = create_single();
  put(table, "a", "1");
  close();
  clock_.step_ms(-options_.drift_ms_max);
  open();  // within the bound
  close();
  clock_.step_ms(-conflict::HybridClock::kCeilingStepMs - 1);
  EXPECT_THROW(open(), ClockBehind);
  EXPECT_THROW(open(), ClockBehind) << "and nothing was changed by it";
  options_.accept_old_clock = true;
  open();
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::clock_refused);
  EXPECT_GT(report().minted_ahead_ms, options_.drift_ms_max);
  clock_.advance_ms(options_.drift_ms_max);
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::committed);
  reopen();
  check();
}

TEST_F(ClockTest, AStepIsReportedAndAccepted) {
  create_single();
  clock_.step_ms(kAheadMs);
  auto stepped = report();
  EXPECT_TRUE(stepped.stepped);
  EXPECT_EQ(stepped.step_ms, kAheadMs);
  store_->accept_clock();
  EXPECT_FALSE(report().stepped);
}

}  // namespace
}  // namespace meridian::store
