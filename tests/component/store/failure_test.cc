// Full disks, failed commits, and locks that others hold.
#include <sqlite3.h>

#include <chrono>
#include <set>
#include <thread>

#include "common/sqlite/sqlite.h"
#include "tests/component/store/fault_vfs.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class FailureTest : public StoreTest {
 protected:
  void open_with_faults() {
    close();
    register_fault_vfs();
    options_.vfs = kFaultVfs;
    options_.sync = true;
    open();
  }
  ~FailureTest() override { fail_io(0, 0, false); }
};

TEST_F(FailureTest, AFullFileRefusesWritesAndRecoversWithRoom) {
  close();
  options_.pages_max = 120;
  open();
  auto table = create_single();
  std::string large(4000, 'x');
  int written = 0;
  WriteStatus status = WriteStatus::committed;
  while (status == WriteStatus::committed && written < 1000)
    status = put(table, "k" + std::to_string(written++), large).status;
  EXPECT_EQ(status, WriteStatus::unavailable);
  EXPECT_GT(written, 10);
  EXPECT_FALSE(store_->health().accepts_writes);
  EXPECT_NE(store_->health().reason.find("full"), std::string::npos);
  EXPECT_TRUE(get(table, "k1").has_value());  // goes on reading

  // A new table is not half there.
  TableSpec spec;
  spec.name = "U";
  spec.keys = schema();
  auto refused = control([&](ControlDone done) { store_->create_table(spec, done); });
  EXPECT_EQ(refused.error(), ControlError::unavailable);
  EXPECT_EQ(store_->catalog()->find("U"), nullptr);
  check();
  options_.pages_max = 4000;
  reopen();
  EXPECT_EQ(put(table, "more", large).status, WriteStatus::committed);
  EXPECT_TRUE(store_->health().accepts_writes);
}

TEST_F(FailureTest, AFullDiskIsLeftByItselfOnceThereIsRoom) {
  open_with_faults();
  auto table = create_single();
  put(table, "a", "1");
  fail_io(1, SQLITE_FULL, true);
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::unavailable);
  EXPECT_FALSE(store_->health().accepts_writes);
  clock_.advance_ms(options_.maintenance_ms + 1);
  store_->run_pending();
  EXPECT_FALSE(store_->health().accepts_writes);
  fail_io(0, 0, false);
  clock_.advance_ms(options_.maintenance_ms + 1);
  store_->run_pending();  // it looks by itself: no client need come
  EXPECT_TRUE(store_->health().accepts_writes);
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  EXPECT_EQ(put(table, "a", "3").status, WriteStatus::committed);
}

// What a reader does that came upon the log's index while the writer was changing it: it takes the
// writer's lock to look again.
TEST_F(FailureTest, AWriteWaitsWhileAnotherConnectionHoldsTheLock) {
  auto table = create_single();
  put(table, "a", "1");
  sqlite::Database other(file(), {.mode = sqlite::OpenMode::read_write});
  other.execute("BEGIN IMMEDIATE");
  std::thread releases([&other] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    other.execute("ROLLBACK");
  });
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::committed);
  releases.join();
  EXPECT_TRUE(store_->health().accepts_writes) << store_->health().reason;
}

TEST_F(FailureTest, ALockThatIsHeldForLongIsOutwaited) {
  auto table = create_single();
  put(table, "a", "1");
  sqlite::Database other(file(), {.mode = sqlite::OpenMode::read_write});
  other.execute("BEGIN IMMEDIATE");
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::unavailable);
  EXPECT_NE(store_->health().reason.find("another connection"), std::string::npos);
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  other.execute("ROLLBACK");
  clock_.advance_ms(options_.maintenance_ms + 1);
  store_->run_pending();
  EXPECT_TRUE(store_->health().accepts_writes) << store_->health().reason;
  EXPECT_EQ(put(table, "a", "3").status, WriteStatus::committed);
}

TEST_F(FailureTest, AFailedCommitStopsWritingAndGoesOnReading) {
  open_with_faults();
  auto table = create_global();
  put(table, "a", "1");
  auto commits = store_->health().commits;
  fail_io(1, SQLITE_IOERR_FSYNC, false);
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::unavailable);
  EXPECT_TRUE(io_failed());
  auto health = store_->health();
  EXPECT_FALSE(health.accepts_writes);
  EXPECT_FALSE(health.reason.empty());
  EXPECT_EQ(health.commits, commits);
  EXPECT_EQ(health.writes_committed, 1U);
  // The disk may be well again; what the log holds is not known, so it stays so.
  EXPECT_EQ(put(table, "a", "3").status, WriteStatus::unavailable);
  EXPECT_EQ(apply(table, {}, {StartId(9), Sequence(1)}, {}).status, rpc::ApplyStatus::unavailable);
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  reopen();
  EXPECT_EQ(put(table, "a", "4").status, WriteStatus::committed);
}

// Fails the first, second, third, ... write or sync of a fixed piece of work, until it passes: every
// acknowledged write is there afterwards, and the file is sound.
TEST_F(FailureTest, EveryInputOutputFailureInTurn) {
  open_with_faults();
  bool passed = false;
  for (int nth = 1; !passed && nth < 200; ++nth) {
    close();
    options_.data_dir = dir_.path() + "/nth" + std::to_string(nth);
    options_.wal_checkpoint_pages = 10;
    open();
    auto table = create_single();
    std::set<std::string> acknowledged;
    fail_io(nth, nth % 2 == 0 ? SQLITE_IOERR_WRITE : SQLITE_IOERR_FSYNC, false);
    for (int i = 0; i < 12; ++i) {
      auto pk = "k" + std::to_string(i % 9);
      if (put(table, pk, std::string(3000, 'x') + std::to_string(i)).status ==
          WriteStatus::committed)
        acknowledged.insert(pk);
    }
    passed = !io_failed();
    fail_io(0, 0, false);
    check();
    for (const auto& pk : acknowledged) EXPECT_TRUE(get(table, pk).has_value()) << nth << " " << pk;
    EXPECT_EQ(put(table, "after", "1").status, WriteStatus::committed);
  }
  EXPECT_TRUE(passed);
}

}  // namespace
}  // namespace meridian::store
