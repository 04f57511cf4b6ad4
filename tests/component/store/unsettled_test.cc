// What the regions that remain may hold more or less of, when the life of a replica has ended.
#include "common/sqlite/sqlite.h"
#include "conflict/stable_horizon.h"
#include "region-node/store/membership_hash.h"
#include "region-node/store/unsettled.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using conflict::Hlc;

class UnsettledTest : public StoreTest {
 protected:
  UnsettledTest() {
    options_.tombstone_retention_ms = 0;
    reopen();
  }

  TablePtr now(const TablePtr& table) { return store_->catalog()->find(table->id); }
  Unsettled unsettled(const TablePtr& table) { return now(table)->unsettled; }
  void merge(const TablePtr& table, const RegionId& region, ReplicaEntry entry) {
    clock_.advance_ms(1);
    entry.changed = {Hlc::at_ms(now_ms()), region};
    expect_ok([&](ControlDone done) {
      store_->merge_replicas(table->id, {{region, entry}}, std::move(done));
    });
  }
  void leave(const TablePtr& table, const RegionId& region) { merge(table, region, {}); }
  void begin_anew(const TablePtr& table, const RegionId& region) {
    ReplicaEntry entry;
    entry.present = true;
    entry.copying = true;
    entry.joined = {Hlc::at_ms(now_ms()), region};
    merge(table, region, entry);
  }
  void finish_repair(const TablePtr& table, const RegionId& peer, std::uint64_t settles) {
    RepairChange change{.kind = RepairChange::Kind::begin_flows, .table = table->id, .peer = peer};
    change.settles = settles;
    store_->change_repair(std::move(change), [](const auto&) {});
    store_->run_pending();
  }
  void repaired(const TablePtr& table, const RegionId& peer) {
    finish_repair(table, peer, membership_hash(now(table)->replicas));
  }
  void adopt(const TablePtr& table, const RegionId& origin, Hlc to) {
    store_->adopt_watermarks({table->id, {{origin, to}}, {}}, [](bool) {});
    store_->run_pending();
  }
  Hlc watermark(const TablePtr& table, const RegionId& origin) {
    clock_.advance_ms(options_.maintenance_ms + 1);
    store_->run_pending();
    return store_->open_reader()->watermarks(table->id)[origin];
  }
  std::uint64_t collect(const TablePtr& table) {
    std::uint64_t collected = 0;
    store_->barrier({table->id}, [](const std::optional<rpc::Barrier>&) {});
    store_->collect({table->id, conflict::kNoHorizonMax, membership_hash(now(table)->replicas)},
                    [&collected](const std::optional<CollectOutcome>& out) {
                      if (out) collected = out->collected;
                    });
    store_->run_pending();
    return collected;
  }
};

TEST_F(UnsettledTest, WhoRemainsIsComparedOnceEach) {
  auto table = create_global();
  clock_.advance_ms(10);
  leave(table, kThere);
  EXPECT_EQ(unsettled(table), (Unsettled{{kThere, {kElsewhere}}}));
  EXPECT_TRUE(now(table)->unsettled_with(kElsewhere));
  check();  // closes and opens it
  EXPECT_EQ(unsettled(table), (Unsettled{{kThere, {kElsewhere}}}));
  // A repair whose two sides did not both know of it settles nothing.
  finish_repair(table, kElsewhere, 0);
  finish_repair(table, kElsewhere, membership_hash(table->replicas));
  EXPECT_EQ(unsettled(table).size(), 1U);
  repaired(table, kElsewhere);
  EXPECT_TRUE(unsettled(table).empty());
  reopen();
  EXPECT_TRUE(unsettled(table).empty());
}

// What is parked there may stand for something of the life that has ended.
TEST_F(UnsettledTest, NothingIsSettledWithoutWhatIsParked) {
  auto table = create_global();
  clock_.advance_ms(10);
  leave(table, kThere);
  RepairChange finish{
      .kind = RepairChange::Kind::begin_flows, .table = table->id, .peer = kElsewhere};
  finish.settles = membership_hash(now(table)->replicas);
  finish.facts.more_parked = true;
  store_->change_repair(std::move(finish), [](const auto&) {});
  store_->run_pending();
  EXPECT_EQ(unsettled(table).size(), 1U);
  repaired(table, kElsewhere);
  EXPECT_TRUE(unsettled(table).empty());
}

TEST_F(UnsettledTest, TheLastOneHasNobodyToAsk) {
  auto table = create_global();
  clock_.advance_ms(10);
  leave(table, kThere);
  clock_.advance_ms(10);
  leave(table, kElsewhere);
  EXPECT_TRUE(unsettled(table).empty());
}

TEST_F(UnsettledTest, NoTombstoneIsCollectedAboveWhatIsCertain) {
  auto table = create_global();
  clock_.advance_ms(10);
  adopt(table, kThere, Hlc::at_ms(now_ms()));
  clock_.advance_ms(10);
  put(table, "a", "1");
  remove(table, "a");
  leave(table, kThere);
  clock_.advance_ms(10);
  adopt(table, kElsewhere, Hlc::at_ms(now_ms()));
  // kElsewhere may have a later write of kThere than this region.
  EXPECT_EQ(collect(table), 0U);
  repaired(table, kElsewhere);
  EXPECT_EQ(collect(table), 1U);
  check();
}

TEST_F(UnsettledTest, ANewLifeSpeaksForItselfAlone) {
  auto table = create_global();
  apply(table, {}, {StartId(9), Sequence(1)}, {remote_put(1, "a", "1", now_ms())});
  adopt(table, kThere, Hlc::at_ms(now_ms() + 300));
  begin_anew(table, kThere);
  auto joined = now(table)->replicas.at(kThere).joined.hlc;
  EXPECT_EQ(unsettled(table), (Unsettled{{kThere, {kElsewhere}}}));
  // It writes above `joined`, which may be less than what its life before had promised.
  EXPECT_EQ(watermark(table, kThere), joined);
  auto advance = [&](Hlc time) {
    store_->advance(kThere, NodeId(78), {{StartId(10), time, {{table->id, {LogPosition{}}}}}},
                    [](const auto&) {});
    store_->run_pending();
    return watermark(table, kThere);
  };
  // Nobody speaks for it before it has been asked what it holds; then the place is taken.
  std::vector<std::optional<bool>> pinned;
  auto note = [&](std::optional<bool> fine) { pinned.push_back(fine); };
  store_->pin_identity(kThere, NodeId(78), note);
  store_->pin_identity(kThere, kThereNode, note);
  store_->replace_identity(kThere, NodeId(78), Replaced::ended, note);
  store_->replace_identity(kThere, NodeId(79), Replaced::ended, note);
  store_->pin_identity(kThere, NodeId(78), note);
  store_->run_pending();
  EXPECT_EQ(pinned, (std::vector<std::optional<bool>>{false, false, true, false, true}));
  Hlc later = Hlc::at_ms(now_ms() + 50);
  EXPECT_EQ(advance(later), joined);
  repaired(table, kElsewhere);
  EXPECT_EQ(advance(later), later);
}

// It was restored from a copy: what it had promised since may be wrong, and what it has of this region's
// writes it has to say anew.
TEST_F(UnsettledTest, ALifeWithRowsIsComparedAndBelievedInNothing) {
  auto table = create_global();
  adopt(table, kThere, Hlc::at_ms(now_ms()));
  ReplicaEntry entry;
  entry.present = true;
  entry.joined = {Hlc::at_ms(now_ms() + 5), kThere};
  clock_.advance_ms(10);
  merge(table, kThere, entry);
  EXPECT_EQ(watermark(table, kThere), Hlc{});
  EXPECT_EQ(unsettled(table), (Unsettled{{kThere, {kElsewhere}}}));
  reopen();
  EXPECT_EQ(now(table)->repairs.count(kThere), 1U);
  check();
}

TEST_F(UnsettledTest, WhatARegionHeldOfOthersEndsWithItsLife) {
  auto table = create_global();
  clock_.advance_ms(10);
  begin_anew(table, kThere);
  clock_.advance_ms(10);
  begin_anew(table, kElsewhere);
  EXPECT_EQ(unsettled(table), (Unsettled{{kElsewhere, {kThere}}}));
}

TEST(Unsettled, IsKeptAsBytes) {
  Unsettled some{{kThere, {kHere, kElsewhere}}, {kElsewhere, {}}};
  EXPECT_EQ(unsettled_in(unsettled_bytes(some)), some);
  EXPECT_EQ(unsettled_in(unsettled_bytes({})), Unsettled{});
  for (const char* damaged : {"", "\x01", "\x01\x03" "ab", "\x00x"})
    EXPECT_THROW(unsettled_in(damaged), sqlite::SqliteError);
}

}  // namespace
}  // namespace meridian::store
