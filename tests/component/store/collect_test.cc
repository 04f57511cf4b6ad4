// Tombstones go once no replica needs them; from then on an absent key counts as a tombstone of G.
#include "conflict/absence.h"
#include "conflict/stable_horizon.h"
#include "region-node/store/membership_hash.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using conflict::Hlc;

class CollectTest : public StoreTest {
 protected:
  CollectTest() {
    options_.tombstone_retention_ms = 1'000;
    reopen();
  }

  // Everything from kThere and kElsewhere up to now is here, and this region's barrier is made.
  void settle(const TablePtr& table) {
    store_->barrier({table->id}, [](const std::optional<rpc::Barrier>&) {});
    store_->adopt_watermarks({table->id, {{kThere, now()}, {kElsewhere, now()}}, {}},
                             [](bool) {});
    store_->run_pending();
  }
  [[nodiscard]] Hlc now() const { return Hlc::at_ms(now_ms()); }
  CollectOutcome collect(const TablePtr& table, Hlc horizon,
                         std::optional<std::uint64_t> membership = std::nullopt) {
    std::optional<CollectOutcome> out;
    auto known = store_->catalog()->find(table->id);
    store_->collect({table->id, horizon, membership.value_or(membership_hash(known->replicas))},
                    [&out](std::optional<CollectOutcome> answer) { out = answer; });
    store_->run_pending();
    EXPECT_TRUE(out.has_value());
    return out.value_or(CollectOutcome{});
  }
  std::uint64_t collect_all(const TablePtr& table) {
    clock_.advance_ms(10'000);
    settle(table);
    return collect(table, now()).collected;
  }
  Hlc collected(const TablePtr& table) { return store_->open_reader()->collected(table->id); }
  std::uint64_t tombstones(const TablePtr& table) {
    return store_->open_reader()->stats(table->id).tombstones;
  }
  std::optional<Row> row(const TablePtr& table, const std::string& pk) {
    return store_->open_reader()->get_row(table->id, key_of(pk));
  }
};

TEST_F(CollectTest, ATombstoneGoesAndGSaysSo) {
  auto table = create_global();
  put(table, "a", "1");
  auto removed = remove(table, "a");
  put(table, "b", "1");
  EXPECT_EQ(store_->open_reader()->oldest_tombstone(table->id), removed.version.hlc);
  EXPECT_EQ(collect_all(table), 1U);
  EXPECT_FALSE(row(table, "a").has_value());
  EXPECT_TRUE(row(table, "b").has_value());
  EXPECT_EQ(collected(table), removed.version.hlc);
  EXPECT_EQ(tombstones(table), 0U);
  EXPECT_FALSE(store_->open_reader()->oldest_tombstone(table->id).has_value());
  EXPECT_EQ(store_->health().tombstones_collected, 1U);
  check();
  EXPECT_EQ(collected(table), removed.version.hlc);
  EXPECT_EQ(log(table).records.size(), 3U);  // what is shipped is not touched
}

TEST_F(CollectTest, NoneAboveTheHorizonOrYoungerThanTheRetentionGoes) {
  auto table = create_global();
  put(table, "a", "1");
  auto first = remove(table, "a");
  clock_.advance_ms(5'000);
  put(table, "b", "1");
  auto second = remove(table, "b");
  settle(table);
  EXPECT_EQ(collect(table, now()).collected, 1U);  // the second is not a second old
  EXPECT_EQ(collected(table), first.version.hlc);
  clock_.advance_ms(5'000);
  settle(table);
  EXPECT_EQ(collect(table, Hlc{second.version.hlc.value - 1}).collected, 0U);
  EXPECT_EQ(collected(table), first.version.hlc);
  EXPECT_EQ(collect(table, second.version.hlc).collected, 1U);
  EXPECT_EQ(collected(table), second.version.hlc);
}

// Whatever others say: what this region does not have of an origin, it must go on knowing.
TEST_F(CollectTest, NoneGoesBeforeEverythingUpToItIsHere) {
  auto table = create_global();
  put(table, "a", "1");
  remove(table, "a");
  clock_.advance_ms(10'000);
  EXPECT_EQ(collect(table, now()).collected, 0U);  // no barrier, no watermark
  store_->barrier({table->id}, [](const std::optional<rpc::Barrier>&) {});
  store_->adopt_watermarks({table->id, {{kThere, now()}}, {}}, [](bool) {});
  store_->run_pending();
  EXPECT_EQ(collect(table, now()).collected, 0U);  // kElsewhere
  settle(table);
  EXPECT_EQ(collect(table, now()).collected, 1U);
}

TEST_F(CollectTest, NoneGoesByAnotherMembership) {
  auto table = create_global();
  put(table, "a", "1");
  remove(table, "a");
  clock_.advance_ms(10'000);
  settle(table);
  auto before = membership_hash(table->replicas);
  expect_ok([&](ControlDone done) {
    store_->set_replica(table->id, RegionId::of("sa-east-1"), true, std::move(done));
  });
  EXPECT_EQ(collect(table, now(), before).collected, 0U);
  EXPECT_EQ(collect(table, now()).collected, 0U);  // nothing is known of sa-east-1
}

TEST_F(CollectTest, ATableOfOneRegionAloneNeedsNobody) {
  auto table = create_single();
  put(table, "a", "1");
  auto removed = remove(table, "a");
  EXPECT_EQ(collect(table, conflict::kNoHorizonMax).collected, 0U);  // too young
  clock_.advance_ms(10'000);
  EXPECT_EQ(collect(table, conflict::kNoHorizonMax).collected, 1U);
  EXPECT_EQ(collected(table), removed.version.hlc);
  check();
}

TEST_F(CollectTest, AStepTakesSoManyTheOldestFirst) {
  options_.collect_rows_max = 3;
  reopen();
  auto table = create_global();
  std::vector<WriteResult> removed;
  for (int i = 0; i < 7; ++i) {
    put(table, std::to_string(i), "1");
    removed.push_back(remove(table, std::to_string(i)));
  }
  clock_.advance_ms(10'000);
  settle(table);
  auto first = collect(table, now());
  EXPECT_EQ(first.collected, 3U);
  EXPECT_TRUE(first.more);
  EXPECT_EQ(collected(table), removed[2].version.hlc);
  EXPECT_EQ(collect(table, now()).collected, 3U);
  auto last = collect(table, now());
  EXPECT_EQ(last.collected, 1U);
  EXPECT_FALSE(last.more);
  check();
}

TEST_F(CollectTest, WhatIsWrittenAfterwardsIsAboveIt) {
  auto table = create_global();
  put(table, "a", "1");
  remove(table, "a");
  ASSERT_EQ(collect_all(table), 1U);
  Hlc horizon = collected(table);
  auto again = put(table, "a", "2");
  EXPECT_GT(again.version.hlc, horizon);
  // It knows everything up to there, so that nobody who still has the tombstone calls it a conflict.
  auto stored = row(table, "a");
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->context, conflict::context_of_absence(horizon));
  // So does a write on a key that never was.
  put(table, "new", "1");
  EXPECT_EQ(row(table, "new")->context, conflict::context_of_absence(horizon));
  check();
}

TEST_F(CollectTest, AWriteIsAboveAHorizonThatIsAheadOfTheClock) {
  auto table = create_global();
  Hlc ahead = Hlc::at_ms(now_ms() + 300);
  store_->adopt_watermarks({table->id, {{kThere, ahead}, {kElsewhere, ahead}}, ahead},
                           [](bool) {});
  store_->run_pending();
  EXPECT_GT(put(table, "a", "1").version.hlc, ahead);
}

TEST_F(CollectTest, ALateRecordDoesNotBringItBack) {
  auto table = create_global();
  std::int64_t then = now_ms();
  put(table, "a", "1");
  remove(table, "a");
  ASSERT_EQ(collect_all(table), 1U);
  auto late = apply(table, {}, {StartId(9), Sequence(1)}, {remote_put(1, "a", "old", then - 5)});
  EXPECT_EQ(late.status, rpc::ApplyStatus::applied);
  EXPECT_FALSE(row(table, "a").has_value());
  EXPECT_EQ(store_->health().records_stale, 1U);
  // It is nobody's loser: all had seen it.
  EXPECT_EQ(store_->open_reader()->ledger(table->id).entries, 0U);
  // A row of a copy goes the same way, and so does one of a repair that does not say it was lost.
  rpc::RowsBatch rows{table->id, kThere, {{key_of("a"), {Hlc::at_ms(then - 5), kThere}, {},
                                           image_of("a", "old")}}, std::nullopt};
  store_->apply_rows(rows, [](const rpc::RowsOutcome&) {});
  rpc::RepairWork work{table->id, collected(table), {}, {}, {}};
  work.rows.push_back({{key_of("a"), {Hlc::at_ms(then - 5), kThere}, {}, image_of("a", "old")},
                       false});
  store_->repair_rows(work, [](const rpc::RepairOutcome&) {});
  store_->run_pending();
  EXPECT_FALSE(row(table, "a").has_value());
  // What is newer is taken.
  apply(table, {StartId(9), Sequence(1)}, {StartId(9), Sequence(2)},
        {remote_put(2, "a", "new", now_ms())});
  EXPECT_TRUE(row(table, "a").has_value());
  check();
}

TEST_F(CollectTest, ATombstoneOfANewerDeleteStays) {
  auto table = create_global();
  put(table, "a", "1");
  remove(table, "a");
  clock_.advance_ms(10'000);
  settle(table);
  put(table, "a", "2");
  auto removed = remove(table, "a");
  EXPECT_EQ(collect(table, now()).collected, 0U);
  EXPECT_EQ(row(table, "a")->version, removed.version);
  check();
}

TEST_F(CollectTest, AHistoryThatGoesBackToACollectedTombstoneIsNotComplete) {
  auto table = create_global();
  put(table, "a", "1");
  remove(table, "a");
  EXPECT_TRUE(store_->open_reader()->key_history(table->id, key_of("a"), 10).complete);
  ASSERT_EQ(collect_all(table), 1U);
  put(table, "a", "2");
  auto history = store_->open_reader()->key_history(table->id, key_of("a"), 10);
  EXPECT_EQ(history.records.size(), 1U);
  EXPECT_FALSE(history.complete);
}

TEST_F(CollectTest, NothingIsCollectedWhileTheClockIsNotTrusted) {
  auto table = create_global();
  put(table, "a", "1");
  remove(table, "a");
  clock_.advance_ms(10'000);
  settle(table);
  clock_.step_ms(3'600'000);
  EXPECT_EQ(collect(table, now()).collected, 0U);
}

}  // namespace
}  // namespace meridian::store
