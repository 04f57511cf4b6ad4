// Marks, pins and renewed logs: what the store keeps of a repair.
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class RepairMarksTest : public StoreTest {
 protected:
  std::optional<std::vector<LogPosition>> change(RepairChange change) {
    std::optional<std::optional<std::vector<LogPosition>>> answer;
    store_->change_repair(std::move(change), [&answer](auto positions) { answer = positions; });
    store_->run_pending();
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(std::nullopt);
  }
  std::optional<std::vector<LogPosition>> change(const TablePtr& table, RepairChange::Kind kind,
                                                 RegionId peer = kThere) {
    return change(RepairChange{.kind = kind, .table = table->id, .peer = peer});
  }
  std::map<RegionId, RepairMark> marks(const TablePtr& table) {
    return store_->catalog()->find(table->id)->repairs;
  }
  using Kind = RepairChange::Kind;
};

TEST_F(RepairMarksTest, AMarkOutlivesARestartAndIsKeptAsItWas) {
  auto table = create_global();
  change({.kind = Kind::mark, .table = table->id, .peer = kThere,
          .reason = RepairReason::log_bound});
  auto before = marks(table);
  clock_.advance_ms(5'000);
  change(table, Kind::mark);
  reopen();
  EXPECT_EQ(marks(table), before);
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(before.at(kThere).reason, RepairReason::log_bound);
  change(table, Kind::clear);
  EXPECT_TRUE(marks(table).empty());
  reopen();
  EXPECT_TRUE(marks(table).empty());
}

TEST_F(RepairMarksTest, APinKeepsTheLogFromItsEndOn) {
  options_.retention_ms = 0;
  reopen();
  auto table = create_global();
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "1");
  auto pins = change(table, Kind::pin);
  ASSERT_TRUE(pins && pins->size() == 1);
  EXPECT_EQ(pins->front().sequence, Sequence(10));
  EXPECT_TRUE(marks(table).at(kThere).pinned);
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "2");
  acknowledge(table, kElsewhere, log(table, pins->front()).to);
  for (int i = 0; i < 4; ++i) {
    clock_.advance_ms(2'000);
    store_->run_pending();
  }
  EXPECT_EQ(log(table).status, rpc::ReadStatus::trimmed);
  EXPECT_EQ(log(table, pins->front()).records.size(), 10U);
  check();
}

TEST_F(RepairMarksTest, WhoIsMarkedHoldsNoLog) {
  options_.retention_ms = 0;
  reopen();
  auto table = create_global();
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "1");
  acknowledge(table, kElsewhere, log(table).to);
  change(table, Kind::mark);
  clock_.advance_ms(2'000);
  store_->run_pending();
  EXPECT_EQ(log(table).status, rpc::ReadStatus::trimmed);
}

TEST_F(RepairMarksTest, ARenewedLogKnowsNoOlderPosition) {
  auto table = create_global();
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "1");
  auto before = log(table).to;
  auto epoch = store_->open_reader()->copy_offer({table->id}).epoch;
  ASSERT_TRUE(change(table, Kind::renew));
  EXPECT_NE(store_->open_reader()->copy_offer({table->id}).epoch, epoch);
  EXPECT_EQ(log(table, before).status, rpc::ReadStatus::not_in_history);
  EXPECT_EQ(log(table).records.size(), 10U);  // who never had anything may begin at the beginning
  ASSERT_EQ(marks(table).size(), 2U);
  EXPECT_TRUE(store_->catalog()->find(table->id)->frozen());
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::unavailable);
  change(table, Kind::clear);
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::unavailable);
  change(table, Kind::thaw, RegionId{});
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::committed);
  EXPECT_EQ(marks(table).count(kElsewhere), 1U);
  check();
  EXPECT_EQ(log(table, before).status, rpc::ReadStatus::not_in_history);
  auto pins = change(table, Kind::pin, kElsewhere);
  put(table, "b", "1");
  EXPECT_EQ(log(table, pins->front()).records.size(), 1U);
}

// A peer that has nothing to tell is not waited for, and yet repaired when it has something.
TEST_F(RepairMarksTest, APeerThatHoldsNothingIsNotWaitedFor) {
  auto table = create_global();
  change(table, Kind::renew);
  change(table, Kind::thaw, kElsewhere);
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::unavailable);
  EXPECT_TRUE(marks(table).at(kThere).frozen);
  change(table, Kind::clear);
  EXPECT_EQ(put(table, "a", "1").status, WriteStatus::committed);
  EXPECT_EQ(marks(table).at(kElsewhere).reason, RepairReason::restored);
  reopen();
  EXPECT_FALSE(marks(table).at(kElsewhere).frozen);
}

// Until all have told it what they hold, it neither makes barriers over it, nor shows more of a past of
// its own than what was everywhere; and what it begins is another life of its replica.
TEST_F(RepairMarksTest, NothingIsClaimedOfALostPast) {
  auto table = create_global();
  put(table, "a", "1");
  auto claims = [&] {
    std::optional<rpc::Barrier> made;
    store_->barrier({table->id}, [&made](std::optional<rpc::Barrier> answer) { made = answer; });
    store_->run_pending();
    auto shown = store_->open_reader()->watermarks(table->id);
    return std::pair(made->tables.size(), shown[kHere]);
  };
  EXPECT_EQ(claims().first, 1U);
  auto collected = conflict::Hlc::at_ms(now_ms() - 5'000);
  store_->adopt_watermarks({table->id, {}, collected}, [](bool) {});
  auto before = store_->catalog()->find(table->id)->replicas.at(kHere);
  clock_.advance_ms(10);
  change(table, Kind::renew);
  EXPECT_EQ(claims(), std::pair(std::size_t{0}, collected));
  change(table, Kind::clear);
  change(table, Kind::thaw, RegionId{});
  EXPECT_EQ(claims(), std::pair(std::size_t{0}, collected));
  reopen();
  EXPECT_EQ(claims(), std::pair(std::size_t{0}, collected));
  auto after = store_->catalog()->find(table->id)->replicas.at(kHere);
  EXPECT_GT(after.joined, before.joined);
  EXPECT_EQ(after.joined, after.changed);
  change(table, Kind::clear, kElsewhere);
  EXPECT_EQ(claims().first, 1U);
  EXPECT_GT(claims().second, after.joined.hlc);
}

TEST_F(RepairMarksTest, FlowsBeginWhereTheyArePinnedAndTheFactsAreTaken) {
  auto table = create_global();
  LogPosition pin{StartId(9), Sequence(41)};
  auto at = conflict::Hlc::at_ms(now_ms() - 10);
  RepairChange finish{.kind = Kind::begin_flows, .table = table->id, .peer = kThere};
  finish.positions = {pin};
  finish.facts.watermarks = {{kThere, at}, {kElsewhere, at}};
  finish.facts.collected = at;
  ASSERT_TRUE(change(std::move(finish)));
  auto next = LogPosition{StartId(9), Sequence(42)};
  EXPECT_EQ(apply(table, {}, next, {}).position, pin);
  EXPECT_EQ(apply(table, pin, next, {}).status, rpc::ApplyStatus::applied);
  auto reader = store_->open_reader();
  EXPECT_EQ(reader->watermarks(table->id).at(kThere), at);
  EXPECT_EQ(reader->collected(table->id), at);
  // An absent key counts as a tombstone of the horizon.
  auto to = LogPosition{StartId(9), Sequence(43)};
  apply(table, next, to, {remote_put(43, "late", "1", now_ms() - 20)});
  EXPECT_EQ(get(table, "late"), std::nullopt);
}

// The peer's watermarks cover what its parked records would replace, and none of its rows says so.
TEST_F(RepairMarksTest, WhatIsParkedThereIsParkedHere) {
  auto table = create_global();
  auto poison = remote_put(1, "a", "1", now_ms());
  auto at = conflict::Hlc::at_ms(now_ms() + 20);
  RepairChange finish{.kind = Kind::begin_flows, .table = table->id, .peer = kThere};
  finish.facts.watermarks = {{kThere, at}, {kElsewhere, at}};
  finish.facts.parked = {{key_of("other"), poison.version, poison.context, poison.new_image}};
  auto beyond = finish;  // not all of it is told
  beyond.facts.parked.clear();
  beyond.facts.more_parked = true;
  ASSERT_TRUE(change(beyond));
  auto reader = store_->open_reader();
  EXPECT_TRUE(reader->watermarks(table->id).empty());
  auto ahead = finish;
  ahead.facts.parked[0].version.hlc = conflict::Hlc::at_ms(now_ms() + 3'600'000);
  ASSERT_TRUE(change(ahead));
  EXPECT_TRUE(reader->watermarks(table->id).empty());
  ASSERT_TRUE(change(finish));
  EXPECT_EQ(reader->parked_stats(table->id).records, 1U);
  EXPECT_EQ(reader->watermarks(table->id).at(kThere).next(), poison.version.hlc);
  EXPECT_EQ(reader->watermarks(table->id).at(kElsewhere), at);
  const auto counted = store_->health().records_parked;
  ASSERT_TRUE(change(finish));
  EXPECT_EQ(reader->parked_stats(table->id).records, 1U);
  EXPECT_EQ(store_->health().records_parked, counted);
}

// A finish that was long on its way, or came twice: the flow has gone on from there.
TEST_F(RepairMarksTest, ALateFinishTakesNoFlowBack) {
  auto table = create_global();
  LogPosition pin{StartId(9), Sequence(41)};
  LogPosition next{StartId(9), Sequence(42)};
  RepairChange finish{.kind = Kind::begin_flows, .table = table->id, .peer = kThere};
  finish.positions = {pin};
  ASSERT_TRUE(change(finish));
  ASSERT_EQ(apply(table, pin, next, {}).status, rpc::ApplyStatus::applied);
  ASSERT_TRUE(change(finish));
  EXPECT_EQ(apply(table, pin, next, {}).position, next);
  finish.positions = {{StartId(8), Sequence(7)}};  // of another life of the log, which may be shorter
  ASSERT_TRUE(change(finish));
  EXPECT_EQ(apply(table, next, next, {}).position, finish.positions.front());
  reopen();
  EXPECT_EQ(store_->open_reader()->flow_position({table->id, ShardId(0), kThere}),
            finish.positions.front());
}

TEST_F(RepairMarksTest, MarksGoWithTheMembership) {
  auto table = create_global();
  change(table, Kind::mark);
  expect_ok([&](ControlDone done) {
    store_->set_replica(table->id, kThere, false, std::move(done));
  });
  EXPECT_TRUE(marks(table).empty());
  reopen();
  EXPECT_TRUE(marks(table).empty());
  EXPECT_EQ(change(table, Kind::mark), std::nullopt);
}

// What it has listed since the copy was made it has forgotten; others' lists count up to there.
TEST_F(RepairMarksTest, ARenewedLogForgetsItsLedger) {
  auto table = create_global();
  auto before = put(table, "a", "1").version.hlc;
  auto complete_after = [&] { return store_->open_reader()->ledger(table->id).complete_after; };
  EXPECT_LT(complete_after(), before);
  change(table, Kind::renew);
  EXPECT_GE(complete_after(), before);
  clock_.advance_ms(1'000);
  change(table, Kind::thaw, RegionId{});
  auto until = complete_after();
  EXPECT_GE(until.physical_ms(), now_ms());
  EXPECT_GT(put(table, "a", "2").version.hlc, until);
  reopen();
  EXPECT_EQ(complete_after(), until);
}

// Two others add it at the same time: neither has begun a life of it that it could have lost.
TEST_F(RepairMarksTest, WhoIsAddedTwiceHasLostNothing) {
  auto table = create_global();
  for (const auto& by : {kThere, kElsewhere}) {
    clock_.advance_ms(1);
    conflict::Version added{conflict::Hlc::at_ms(now_ms()), by};
    expect_ok([&](ControlDone done) {
      store_->merge_replicas(table->id, {{kHere, {true, added, false, false, added}}},
                             std::move(done));
    });
    EXPECT_EQ(store_->catalog()->find(table->id)->replicas.at(kHere).joined, added);
  }
  EXPECT_FALSE(store_->catalog()->find(table->id)->frozen());
}

// It was restored from before it began the life that others tell it of: whatever they have of its log, it
// has forgotten what it wrote in that life.
TEST_F(RepairMarksTest, ALaterLifeOfItsOwnIsOneThatItHasLost) {
  auto table = create_global();
  auto wrote = put(table, "a", "1").version.hlc;
  auto before = log(table).to;
  conflict::Version later{conflict::Hlc::at_ms(now_ms() + 50), kHere};
  auto tell = [&] {
    expect_ok([&](ControlDone done) {
      store_->merge_replicas(table->id, {{kHere, {true, later, false, false, later}}},
                             std::move(done));
    });
    return store_->catalog()->find(table->id)->replicas.at(kHere);
  };
  auto told = tell();
  EXPECT_GT(told.joined, later);
  EXPECT_FALSE(told.copying);
  EXPECT_TRUE(store_->catalog()->find(table->id)->frozen());
  EXPECT_EQ(marks(table).size(), 2U);
  EXPECT_EQ(log(table, before).status, rpc::ReadStatus::not_in_history);
  EXPECT_GE(store_->open_reader()->ledger(table->id).complete_after, wrote);
  change(table, Kind::clear);
  change(table, Kind::thaw, RegionId{});
  EXPECT_EQ(tell(), told);  // by one that has not heard of this one
  later = told.changed;
  EXPECT_EQ(tell(), told);
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::committed);
  reopen();
  EXPECT_EQ(store_->catalog()->find(table->id)->replicas.at(kHere), told);
  check();
}

}  // namespace
}  // namespace meridian::store
