// A copy of the WAL whose sync comes late: what is kept until then, and when it fails.
#include "common/sqlite/late_sync.h"

#include <sqlite3.h>

#include <filesystem>
#include <vector>

#include "common/sqlite/sqlite.h"
#include "common/sqlite/sync_count.h"
#include "region-node/store/wal_copy_rule.h"
#include "tests/component/store/fault_vfs.h"
#include "tests/component/store/fixture.h"

namespace meridian::sqlite {
namespace {

class LateSyncTest : public ::testing::Test {
 protected:
  LateSyncTest() { open(""); }
  ~LateSyncTest() override { store::fail_io(0, 0, false); }

  void open(const std::string& vfs) {
    db_.reset();
    OpenOptions options;
    options.vfs = vfs;
    db_.emplace(path_, options);
    db_->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    db_->execute("CREATE TABLE IF NOT EXISTS t(a)");
    db_->take_over_checkpoints();
    db_->checkpoint_truncate();
    db_->sync_copies_late([this](std::function<void()> job) { jobs_.push_back(std::move(job)); });
  }
  void insert() { db_->execute("INSERT INTO t VALUES(randomblob(3000))"); }
  void run_jobs() {
    for (auto& job : std::exchange(jobs_, {})) job();
  }
  std::int64_t rows() { return db_->query_int64("SELECT count(*) FROM t").value(); }
  [[nodiscard]] bool wal_exists() const { return std::filesystem::exists(path_ + "-wal"); }
  const LateSync& late() { return *db_->late_sync(); }

  store::TempDir dir_;
  std::string path_ = dir_.path() + "/x.db";
  std::vector<std::function<void()>> jobs_;
  std::optional<Database> db_;
};

TEST_F(LateSyncTest, TheWalGoesOnUntilTheSyncIsMade) {
  for (int i = 0; i < 10; ++i) insert();
  int frames = db_->wal_frames();
  auto before = sync_counts();
  EXPECT_TRUE(db_->checkpoint_passive_late());
  EXPECT_EQ(sync_counts().other, before.other);
  EXPECT_TRUE(late().pending());
  ASSERT_EQ(jobs_.size(), 1U);

  insert();
  EXPECT_GT(db_->wal_frames(), frames) << "begun anew while a sync was owed";
  run_jobs();
  EXPECT_EQ(sync_counts().other, before.other + 1);
  EXPECT_EQ(late().made(), 1U);
  EXPECT_FALSE(late().pending());

  // What was committed meanwhile is copied, and no commit comes before its sync.
  EXPECT_TRUE(db_->checkpoint_passive_late());
  run_jobs();
  insert();
  EXPECT_LT(db_->wal_frames(), frames) << "not begun anew";
  EXPECT_EQ(rows(), 12);
}

TEST_F(LateSyncTest, ASyncAtOnceMakesWhatIsOwedFirst) {
  insert();
  db_->checkpoint_passive_late();
  insert();
  auto before = sync_counts();
  EXPECT_TRUE(db_->checkpoint_passive());
  EXPECT_EQ(sync_counts().other, before.other + 2);
  EXPECT_FALSE(late().pending());
  run_jobs();  // finds nothing to do
  EXPECT_EQ(sync_counts().other, before.other + 2);
  EXPECT_EQ(late().made(), 0U);
}

TEST_F(LateSyncTest, ClosingMakesWhatIsOwed) {
  insert();
  db_->checkpoint_passive_late();
  auto before = sync_counts();
  db_.reset();
  EXPECT_GT(sync_counts().other, before.other);
  EXPECT_FALSE(wal_exists());
  run_jobs();  // the file is gone
  open("");
  EXPECT_EQ(rows(), 1);
}

TEST_F(LateSyncTest, AfterAFailureTheWalIsKept) {
  store::register_fault_vfs();
  open(store::kFaultVfs);
  insert();
  EXPECT_TRUE(db_->checkpoint_passive_late());
  store::fail_io(1, SQLITE_IOERR_FSYNC, false);
  run_jobs();
  EXPECT_TRUE(store::io_failed());
  EXPECT_TRUE(late().failed());
  EXPECT_FALSE(late().pending());

  int frames = db_->wal_frames();
  insert();
  EXPECT_GT(db_->wal_frames(), frames);
  EXPECT_THROW(db_->checkpoint_passive(), SqliteError);
  db_.reset();
  EXPECT_TRUE(wal_exists());
  open("");
  EXPECT_EQ(rows(), 2);
}

TEST_F(LateSyncTest, AThreadMakesThem) {
  db_.reset();
  RunnerThread runner;
  OpenOptions options;
  db_.emplace(path_, options);
  db_->execute("PRAGMA synchronous=FULL");
  db_->take_over_checkpoints();
  db_->sync_copies_late([&](std::function<void()> job) { runner.post(std::move(job)); });
  for (int i = 0; i < 200; ++i) {
    insert();
    if (i % 10 == 9) db_->checkpoint_passive_late();
  }
  insert();
  db_->checkpoint_passive();
  EXPECT_FALSE(late().pending());
  EXPECT_FALSE(late().failed());
  EXPECT_EQ(rows(), 201);
  db_.reset();
}

using store::WalCopy;
using store::WalCopyRule;

TEST(WalCopyRuleTest, CopiesAfterSoManyPagesOrGroups) {
  WalCopyRule rule(100);
  EXPECT_EQ(rule.due(10, false), WalCopy::none);
  EXPECT_EQ(rule.due(99, false), WalCopy::none);
  EXPECT_EQ(rule.due(100, false), WalCopy::late) << "a group of one page";
  rule.copied(100);
  EXPECT_EQ(rule.due(199, false), WalCopy::none);
  WalCopyRule large(100);
  EXPECT_EQ(large.due(50, false), WalCopy::none);
  EXPECT_EQ(large.due(100, false), WalCopy::none) << "two groups of fifty pages are few";
  EXPECT_EQ(large.due(599, false), WalCopy::none);
  EXPECT_EQ(large.due(650, false), WalCopy::late);
}

TEST(WalCopyRuleTest, NothingIsCopiedWhileASyncIsOwedUnlessTheWalIsVeryLong) {
  WalCopyRule rule(10);
  int frames = 0;
  WalCopy copy = WalCopy::none;
  while (copy == WalCopy::none) copy = rule.due(++frames, true);
  EXPECT_EQ(copy, WalCopy::now);
  EXPECT_EQ(frames, 2 * 6 * 10);
}

TEST(WalCopyRuleTest, ALongWalIsEndedByAShortCopy) {
  WalCopyRule rule(10);
  int frames = 0;
  for (; frames < 59; ++frames)
    if (rule.due(frames, false) == WalCopy::late) rule.copied(frames);
  rule.copied(frames - 5);
  EXPECT_EQ(rule.due(++frames, true), WalCopy::none);
  EXPECT_EQ(rule.due(++frames, false), WalCopy::now);
  rule.copied(frames);
  EXPECT_EQ(rule.due(frames + 1, false), WalCopy::none) << "a reader was in the way";
  EXPECT_EQ(rule.due(2, false), WalCopy::none) << "it was begun anew";
}

}  // namespace
}  // namespace meridian::sqlite
