// One data sync per commit group: counted at the file, not believed.
#include "common/sqlite/sync_count.h"

#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class SyncTest : public StoreTest {
 protected:
  SyncTest() {
    close();
    options_.sync = true;
    open();
    table_ = create_global();
    remember();
  }

  void remember() {
    health_ = store_->health();
    counts_ = sqlite::sync_counts();
  }
  // Since remember().  The store runs on this thread, so these are all the syncs that there were.
  [[nodiscard]] std::uint64_t commits() const { return store_->health().commits - health_.commits; }
  [[nodiscard]] sqlite::SyncCounts syncs() const {
    auto now = sqlite::sync_counts();
    return {now.wal - counts_.wal, now.wal_start - counts_.wal_start, now.other - counts_.other,
            now.wal_writes - counts_.wal_writes};
  }
  void queue_puts(int first, int last) {
    for (int i = first; i < last; ++i)
      store_->write({table_->id, key_of("k" + std::to_string(i)),
                     std::make_shared<PutImage>(image_of("k", std::string(1000, 'x'))), {}});
  }

  TablePtr table_;
  StoreHealth health_;
  sqlite::SyncCounts counts_;
};

TEST_F(SyncTest, AGroupOfAnySizeIsOneSync) {
  for (int size : {1, 2, 500}) {
    remember();
    queue_puts(0, size);
    store_->run_pending();
    EXPECT_EQ(commits(), 1U) << size;
    EXPECT_EQ(syncs().wal, 1U) << size;
    EXPECT_EQ(syncs().wal_start + syncs().other, 0U) << size;
  }
}

TEST_F(SyncTest, ThePagesOfACommitAreFewWrites) {
  for (int size : {1, 500}) {
    remember();
    queue_puts(0, size);
    store_->run_pending();
    EXPECT_EQ(commits(), 1U);
    EXPECT_LE(syncs().wal_writes, static_cast<std::uint64_t>(1 + size / 50)) << size;
  }
}

// Larger than what is gathered, and than the cache, so that pages are written before the commit, and
// some of them again.
TEST_F(SyncTest, ACommitLargerThanTheCacheIsWhole) {
  close();
  options_.cache_bytes = 64 * 1024;
  open();
  for (int round = 0; round < 3; ++round) {
    remember();
    for (int i = 0; i < 2000; ++i)
      store_->write({table_->id, key_of("k" + std::to_string(i * 7919 % 2000)),
                     std::make_shared<PutImage>(
                         image_of("k", std::to_string(round) + std::string(2000, 'x'))),
                     {}});
    store_->run_pending();
    EXPECT_EQ(commits(), 1U);
    EXPECT_GT(syncs().wal_writes, 3U);
  }
  close();
  open();
  for (int i = 0; i < 2000; ++i)
    EXPECT_TRUE(get(table_, "k" + std::to_string(i)) ==
                image_of("k", "2" + std::string(2000, 'x')))
        << i;
}

TEST_F(SyncTest, ABatchOfReplicatedRecordsWithItsPositionIsOneSync) {
  std::vector<rpc::ChangeRecord> records;
  for (std::uint64_t i = 1; i <= 300; ++i)
    records.push_back(remote_put(i, "r" + std::to_string(i), "v", now_ms()));
  auto outcome = apply(table_, {}, {StartId(9), Sequence(300)}, std::move(records));
  EXPECT_EQ(outcome.status, rpc::ApplyStatus::applied);
  EXPECT_EQ(commits(), 1U);
  EXPECT_EQ(syncs().wal, 1U);
}

TEST_F(SyncTest, WhatChangesNothingCostsNoSync) {
  mutate(table_, "k", std::make_shared<RejectAll>());
  get(table_, "k");
  store_->run_pending();
  EXPECT_EQ(commits(), 0U);
  EXPECT_EQ(syncs().wal + syncs().wal_start + syncs().other, 0U);
}

TEST_F(SyncTest, OverManyGroupsCommitsAndSyncsAreEqualAndCheckpointsAreCountedApart) {
  close();
  options_.wal_checkpoint_pages = 50;
  open();
  remember();
  for (int group = 0; group < 300; ++group) {
    queue_puts(group * 10, group * 10 + 10);
    store_->run_pending();
  }
  auto health = store_->health();
  EXPECT_EQ(commits(), 300U);
  EXPECT_EQ(health.syncs_commit, health.commits);
  EXPECT_GT(health.syncs_checkpoint, 0U);
  EXPECT_GT(health.syncs_wal_start, 0U) << "each whole checkpoint begins the log anew";
  EXPECT_LT(health.syncs_wal_start + health.syncs_checkpoint, health.commits / 2);
  // Nothing else was synced: the three reasons account for every sync of this thread.
  EXPECT_EQ(syncs().wal + syncs().wal_start + syncs().other,
            health.syncs_commit + health.syncs_wal_start + health.syncs_checkpoint);
}

TEST_F(SyncTest, WithoutSyncsTheCountersStandStill) {
  close();
  options_.sync = false;
  open();
  remember();
  put(table_, "k", "v");
  EXPECT_EQ(commits(), 1U);
  EXPECT_EQ(syncs().wal + syncs().wal_start + syncs().other, 0U);
  EXPECT_EQ(store_->health().syncs_commit, 0U);
}

}  // namespace
}  // namespace meridian::store
