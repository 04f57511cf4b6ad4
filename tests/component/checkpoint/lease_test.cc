// Leases: several workers on one table, on a time that the test lets pass.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/lease_worker.h"
#include "checkpoint/schema.h"
#include "checkpoint/sqlite_store.h"
#include "common/sqlite/sqlite.h"
#include "tests/component/checkpoint/temp_dir.h"

namespace meridian::checkpoint {
namespace {

constexpr LeaseTiming kTiming{.round_ms = 1000, .lease_ms = 3500};

class LeaseTest : public ::testing::Test {
 protected:
  // A worker as a replicator runs it: what it ships is what it has been given.
  struct Worker {
    std::unique_ptr<LeaseStore> store;
    std::unique_ptr<LeaseWorker> leases;
    std::map<LeaseKey, std::uint64_t> ships;
    bool alive = true;
  };

  Worker& start(const std::string& name, const std::string& run = "1") {
    auto& worker = workers_[name + "/" + run];
    worker.store = std::make_unique<LeaseStore>(dir_.path());
    worker.leases = std::make_unique<LeaseWorker>(*worker.store, WorkerId{name, run}, kTiming,
                                                  Rng(workers_.size()));
    return worker;
  }

  // What a worker is told, it does before its next round.
  void round(Worker& worker) {
    auto outcome = worker.leases->round(shards_, now_ms_);
    for (const auto& key : outcome.lost) worker.ships.erase(key);
    for (const auto& key : outcome.hand_over) {
      auto token = worker.ships.at(key);
      worker.ships.erase(key);
      worker.leases->let_go(key, token, {});
    }
    for (const auto& gained : outcome.gained) {
      EXPECT_TRUE(tokens_.insert(gained.token).second) << "a token comes twice";
      worker.ships[gained.key] = gained.token;
    }
    changes_ += outcome.lost.size() + outcome.hand_over.size() + outcome.gained.size();
  }

  // So many rounds of all that live; nobody ships what another one does.
  void pass(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      for (auto& [name, worker] : workers_) {
        if (!worker.alive) continue;
        round(worker);
        expect_one_for_each();
      }
      now_ms_ += kTiming.round_ms;
    }
  }

  void expect_one_for_each() {
    std::set<LeaseKey> shipped;
    for (const auto& [name, worker] : workers_) {
      if (!worker.alive) continue;
      for (const auto& [key, token] : worker.ships)
        EXPECT_TRUE(shipped.insert(key).second) << "two ship one shard";
    }
  }

  // Everything is shipped, and nobody ships two more than another.
  void expect_even() {
    std::size_t all = 0;
    std::size_t most = 0;
    std::size_t least = shards_.size();
    for (const auto& [name, worker] : workers_) {
      if (!worker.alive) continue;
      all += worker.ships.size();
      most = std::max(most, worker.ships.size());
      least = std::min(least, worker.ships.size());
    }
    EXPECT_EQ(all, shards_.size());
    EXPECT_LE(most - least, 1U);
  }

  void make_shards(std::uint16_t count) {
    shards_.clear();
    for (std::uint16_t i = 0; i < count; ++i) shards_.insert({at(i, 1, 1).key.table, ShardId(i)});
  }

  // What a disk or another hand does to the table.
  void meddle(const std::string& sql) {
    sqlite::Database(database_in(dir_.path()), database_options({})).execute(sql);
  }
  void refuse_changes() {
    meddle("CREATE TRIGGER refusal BEFORE UPDATE ON leases BEGIN SELECT RAISE(ABORT, 'no'); END");
  }
  void allow_changes() { meddle("DROP TRIGGER refusal"); }

  TempDir dir_;
  std::set<LeaseKey> shards_;
  std::map<std::string, Worker> workers_;
  std::set<std::uint64_t> tokens_;
  std::int64_t now_ms_ = 1'000'000;
  std::size_t changes_ = 0;
};

TEST_F(LeaseTest, ASoleWorkerHasEverythingAtOnce) {
  make_shards(8);
  start("a");
  pass(1);
  EXPECT_EQ(workers_.at("a/1").ships.size(), 8U);
  changes_ = 0;
  pass(20);
  EXPECT_EQ(changes_, 0U);
}

TEST_F(LeaseTest, ANewcomerGetsItsShareWithoutTwoWhoShip) {
  make_shards(8);
  start("a");
  pass(3);
  start("b");
  pass(4);
  EXPECT_EQ(workers_.at("a/1").ships.size(), 4U);
  EXPECT_EQ(workers_.at("b/1").ships.size(), 4U);
  changes_ = 0;
  pass(30);
  EXPECT_EQ(changes_, 0U) << "what is even stays as it is";
}

TEST_F(LeaseTest, SharesThatDoNotComeOutEvenComeToRest) {
  for (int count : {1, 2, 3, 4, 5, 7, 12}) {
    make_shards(static_cast<std::uint16_t>(count));
    workers_.clear();
    now_ms_ += 10 * kTiming.lease_ms;
    for (const char* name : {"a", "b", "c"}) {
      start(name, std::to_string(count));
      pass(8);
    }
    expect_even();
    changes_ = 0;
    pass(20);
    EXPECT_EQ(changes_, 0U) << count;
  }
}

TEST_F(LeaseTest, TheDeadAreInheritedAfterTheirSilenceAndNotBefore) {
  make_shards(6);
  start("a");
  start("b");
  pass(6);
  expect_even();
  workers_.at("b/1").alive = false;
  pass(3);
  EXPECT_EQ(workers_.at("a/1").ships.size(), 3U) << "it might only be slow";
  pass(2);
  EXPECT_EQ(workers_.at("a/1").ships.size(), 6U);
}

TEST_F(LeaseTest, AWorkerThatStartsAgainUnderItsNameNeedNotWait) {
  make_shards(6);
  start("a");
  pass(2);
  workers_.at("a/1").alive = false;
  start("a", "2");
  pass(1);
  EXPECT_EQ(workers_.at("a/2").ships.size(), 6U);
}

TEST_F(LeaseTest, OneThatWasThoughtDeadLearnsItAndIsHarmless) {
  make_shards(4);
  auto& slow = start("slow");
  pass(2);
  auto held = slow.ships;
  auto ended = held.begin()->first;
  slow.alive = false;  // stopped, say, and with it all that it believes
  start("quick");
  pass(6);
  EXPECT_EQ(workers_.at("quick/1").ships.size(), 4U);

  // It wakes in the middle of a save: that of its successor stands.
  SqliteCheckpointStore checkpoints(dir_.path());
  auto old = at(ended.shard.value, 1, 10);
  old.token = held.at(ended);
  auto fresh = at(ended.shard.value, 1, 20);
  fresh.token = workers_.at("quick/1").ships.at(ended);
  EXPECT_TRUE(checkpoints.save_batch({fresh}).empty());
  EXPECT_EQ(checkpoints.save_batch({old}).size(), 1U);
  old.position.start = StartId(7);  // another life of the log would not even count as going back
  EXPECT_EQ(checkpoints.save_batch({old}).size(), 1U);
  EXPECT_EQ(checkpoints.load(old.key)->position, fresh.position);

  slow.alive = true;
  round(slow);
  EXPECT_TRUE(slow.ships.empty());
  pass(6);
  expect_even();
}

TEST_F(LeaseTest, WhoLeavesInAnOrderlyWayIsInheritedInOneRound) {
  make_shards(6);
  start("a");
  start("b");
  pass(6);
  auto& leaving = workers_.at("b/1");
  auto ships = leaving.ships;
  auto saved = at(ships.begin()->first.shard.value, 3, 33);
  for (const auto& [key, token] : ships)
    leaving.leases->let_go(key, token,
                           key == ships.begin()->first ? std::vector{saved}
                                                       : std::vector<Checkpoint>{});
  leaving.alive = false;
  auto& heir = workers_.at("a/1");
  auto outcome = heir.leases->round(shards_, now_ms_);
  EXPECT_EQ(outcome.gained.size(), ships.size());
  for (const auto& gained : outcome.gained) {
    bool has_saved = gained.key == ships.begin()->first;
    ASSERT_EQ(gained.checkpoints.size(), has_saved ? 1U : 0U);
    if (has_saved) {
      EXPECT_EQ(gained.checkpoints[0].position, saved.position);
    }
  }
}

TEST_F(LeaseTest, TablesComeAndGo) {
  make_shards(6);
  start("a");
  pass(2);
  make_shards(2);
  pass(1);
  EXPECT_EQ(workers_.at("a/1").ships.size(), 2U);
  make_shards(6);
  pass(2);
  EXPECT_EQ(workers_.at("a/1").ships.size(), 6U);  // (and no token came twice)
}

TEST_F(LeaseTest, WhatWasTakenInARoundThatFailedIsToldByTheNext) {
  make_shards(4);
  auto saved = at(2, 3, 33);
  SqliteCheckpointStore(dir_.path()).save_batch({saved});
  meddle("UPDATE checkpoints SET hash = hash + 1");
  auto& a = start("a");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(a.leases->round(shards_, now_ms_), sqlite::SqliteError);
    now_ms_ += kTiming.round_ms;
  }
  meddle("UPDATE checkpoints SET hash = hash - 1");
  auto outcome = a.leases->round(shards_, now_ms_);
  ASSERT_EQ(outcome.gained.size(), 4U);
  EXPECT_EQ(outcome.lost.size(), 0U);
  for (const auto& gained : outcome.gained) {
    EXPECT_EQ(gained.token, a.leases->book().held().at(gained.key));
    ASSERT_EQ(gained.checkpoints.size(), gained.key.shard == saved.key.shard ? 1U : 0U);
  }
  EXPECT_TRUE(a.leases->round(shards_, now_ms_).gained.empty()) << "told once";
}

TEST_F(LeaseTest, WhatIsWantedBeforeItsGainIsToldIsHandedOverAfterThat) {
  make_shards(2);
  SqliteCheckpointStore(dir_.path()).save_batch({at(0, 3, 33), at(1, 3, 33)});
  meddle("UPDATE checkpoints SET hash = hash + 1");
  auto& a = start("a");
  EXPECT_THROW(a.leases->round(shards_, now_ms_), sqlite::SqliteError);
  start("b");
  round(workers_.at("b/1"));
  meddle("UPDATE checkpoints SET hash = hash - 1");
  pass(6);
  expect_even();
}

TEST_F(LeaseTest, WhatWasFoundLostInARoundThatFailedIsToldByTheNext) {
  make_shards(4);
  auto& slow = start("slow");
  pass(2);
  slow.alive = false;
  start("quick");
  pass(6);
  ASSERT_EQ(workers_.at("quick/1").ships.size(), 4U);
  refuse_changes();
  EXPECT_THROW(slow.leases->round(shards_, now_ms_), sqlite::SqliteError);
  allow_changes();
  EXPECT_EQ(slow.leases->round(shards_, now_ms_).lost.size(), 4U);
  EXPECT_TRUE(slow.leases->round(shards_, now_ms_).lost.empty()) << "told once";
}

TEST_F(LeaseTest, WhatIsItsOwnByACommitThatWasReportedFailedIsTakenAgain) {
  make_shards(4);
  auto& a = start("a");
  a.store->settle(shards_);
  meddle("UPDATE leases SET owner = 'a/1', token = 7, counter = 1; UPDATE fence SET next = 8");
  pass(1);
  EXPECT_EQ(a.ships.size(), 4U);
  changes_ = 0;
  pass(20);
  EXPECT_EQ(changes_, 0U);
}

TEST_F(LeaseTest, AfterAnyStormEverythingIsShippedOnceAndEvenly) {
  Rng rng(77);
  for (int storm = 0; storm < 12; ++storm) {
    make_shards(static_cast<std::uint16_t>(rng.between(1, 9)));
    for (int step = 0; step < 60; ++step) {
      auto index = rng.below(4);
      auto name = std::string(1, static_cast<char>('a' + index));
      auto at_name = workers_.lower_bound(name);
      bool there = at_name != workers_.end() && at_name->first.starts_with(name);
      if (!there || rng.percent(10)) {
        if (there) workers_.erase(at_name);  // killed
        if (!there || rng.percent(50)) start(name, std::to_string(storm * 100 + step));
      } else if (rng.percent(90)) {
        round(at_name->second);
      } else {
        now_ms_ += rng.between(0, kTiming.lease_ms * 2);  // everybody is slow
      }
      now_ms_ += rng.between(0, kTiming.round_ms / 3);
    }
    if (workers_.empty()) start("a", std::to_string(storm));
    // Whoever was taken for dead learns it in its next round.
    for (auto& [name, worker] : workers_) round(worker);
    now_ms_ += kTiming.round_ms;
    pass(16);
    expect_even();
  }
}

}  // namespace
}  // namespace meridian::checkpoint
