// Positions, start ids and the hybrid clock over restarts and restores.
#include <filesystem>

#include "common/sqlite/sqlite.h"
#include "region-node/store/sqlite_store.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

namespace fs = std::filesystem;
using rpc::ReadStatus;

class HistoryTest : public StoreTest {
 protected:
  void copy_aside() {
    close();
    fs::copy(options_.data_dir, dir_.path() + "/copy", fs::copy_options::recursive);
    open();
  }
  void copy_back() {
    close();
    fs::remove_all(options_.data_dir);
    fs::copy(dir_.path() + "/copy", options_.data_dir, fs::copy_options::recursive);
    open();
  }
};

TEST_F(HistoryTest, PositionsStayValidOverRestarts) {
  auto table = create_single();
  EXPECT_EQ(log(table).to, LogPosition{});
  std::vector<LogPosition> seen{LogPosition{}};
  for (int start = 0; start < 4; ++start) {
    put(table, "a", std::to_string(start));
    put(table, "b", std::to_string(start));
    seen.push_back(log(table).to);
    EXPECT_EQ(seen.back().start, store_->start_id());
    reopen();
    reopen();  // a start that writes nothing
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    auto page = log(table, seen[i]);
    ASSERT_EQ(page.status, ReadStatus::ok) << i;
    EXPECT_EQ(page.records.size(), 8 - 2 * i);
    EXPECT_EQ(page.to, seen.back());
    EXPECT_EQ(page.end, Sequence(8));
    EXPECT_EQ(page.pending, 0U);
  }
}

TEST_F(HistoryTest, ARestoredLogIsNoticed) {
  auto table = create_single();
  put(table, "a", "1");
  auto common = log(table).to;
  copy_aside();
  put(table, "a", "2");
  auto beyond = log(table).to;
  reopen();
  put(table, "a", "3");
  auto further = log(table).to;

  copy_back();
  EXPECT_EQ(log(table, common).status, ReadStatus::ok);
  EXPECT_EQ(log(table, beyond).status, ReadStatus::not_in_history);
  for (int i = 0; i < 5; ++i) put(table, "a", "fork" + std::to_string(i));
  EXPECT_EQ(log(table, beyond).status, ReadStatus::not_in_history);
  EXPECT_EQ(log(table, further).status, ReadStatus::not_in_history);
  EXPECT_EQ(log(table, common).records.size(), 5U);
  EXPECT_EQ(log(table, {common.start, Sequence(2)}).status, ReadStatus::not_in_history);
  EXPECT_EQ(log(table, {StartId(4711), Sequence(1)}).status, ReadStatus::not_in_history);
}

TEST_F(HistoryTest, LimitsCutAPageAndTheNextGoesOn) {
  auto table = create_single();
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "1");
  auto reader = store_->open_reader();
  LogPosition at;
  std::size_t pages = 0;
  std::size_t records = 0;
  while (records < 10) {
    auto page = reader->read_log(table->id, ShardId(0), at, {3, 1 << 20});
    ASSERT_LE(page.records.size(), 3U);
    records += page.records.size();
    EXPECT_EQ(page.pending, 10 - records);
    at = page.to;
    ++pages;
  }
  EXPECT_EQ(pages, 4U);
  // One record may exceed the bytes alone, and then travels alone.
  EXPECT_EQ(reader->read_log(table->id, ShardId(0), {}, {3, 1}).records.size(), 1U);
}

TEST_F(HistoryTest, VersionsNeverGoBackOverARestart) {
  auto table = create_single();
  auto last = put(table, "a", "0").version;
  for (int i = 1; i < 4; ++i) {
    close();
    clock_.step_ms(-50);  // set back while the node was down
    open();
    auto next = put(table, "k" + std::to_string(i), "1");
    ASSERT_EQ(next.status, WriteStatus::committed);
    EXPECT_GT(next.version, last);
    last = next.version;
  }
}

TEST_F(HistoryTest, VersionsSeenFromPeersAreExceededAfterARestart) {
  auto table = create_global();
  auto record = remote_put(1, "a", "1", now_ms() + 400);
  apply(table, {}, {StartId(9), Sequence(1)}, {record});
  reopen();
  EXPECT_GT(put(table, "b", "1").version, record.version);
}

TEST_F(HistoryTest, NodeIdStaysAndStartIdChanges) {
  auto node = store_->node_id();
  auto start = store_->start_id();
  reopen();
  EXPECT_EQ(store_->node_id(), node);
  EXPECT_NE(store_->start_id(), start);
}

TEST_F(HistoryTest, TheDataDirectoryIsLocked) {
  try {
    InlineStore second(options_, clock_, Rng(9));
    FAIL() << "opened twice";
  } catch (const StoreError& error) {
    EXPECT_NE(std::string(error.what()).find("in use"), std::string::npos) << error.what();
  }
}

TEST_F(HistoryTest, ANewerFormatOrAnotherRegionIsRefused) {
  close();
  auto other = options_;
  other.region = kThere;
  EXPECT_THROW(InlineStore(other, clock_, Rng(9)), StoreError);
  {
    sqlite::Database db(file(), {});
    db.execute("PRAGMA user_version=999");
  }
  try {
    InlineStore newer(options_, clock_, Rng(9));
    FAIL() << "opened a newer format";
  } catch (const StoreError& error) {
    EXPECT_NE(std::string(error.what()).find("999"), std::string::npos) << error.what();
  }
  sqlite::Database db(file(), {});
  db.execute("PRAGMA user_version=2");
}

TEST_F(HistoryTest, AForeignFileIsRefusedUntouched) {
  auto elsewhere = options_;
  elsewhere.data_dir = dir_.path() + "/foreign";
  fs::create_directories(elsewhere.data_dir);
  {
    sqlite::Database db(elsewhere.data_dir + "/store.db", {});
    db.execute("CREATE TABLE theirs(a)");
  }
  EXPECT_THROW(InlineStore(elsewhere, clock_, Rng(9)), StoreError);
  sqlite::Database db(elsewhere.data_dir + "/store.db", {});
  EXPECT_EQ(db.query_text("PRAGMA journal_mode"), "delete");
}

TEST_F(HistoryTest, AnInMemoryStoreSurvivesItsCrash) {
  MemoryFile disk("history-test");
  StoreOptions options;
  options.region = kHere;
  options.memory_name = disk.name();
  auto first = std::make_unique<InlineStore>(options, clock_, Rng(1));
  TableSpec spec;
  spec.name = "T";
  spec.keys = schema();
  first->create_table(spec, {});
  first->run_pending();
  auto id = first->catalog()->find("T")->id;
  first->write({id, key_of("a"), std::make_shared<PutImage>(image_of("a", "1")), {}});
  first->run_pending();
  first->write({id, key_of("b"), std::make_shared<PutImage>(image_of("b", "1")), {}});
  first.reset();  // with one write waiting
  InlineStore second(options, clock_, Rng(2));
  auto reader = second.open_reader();
  EXPECT_EQ(reader->get(id, key_of("a")), image_of("a", "1"));
  EXPECT_FALSE(reader->get(id, key_of("b")).has_value());
  for (int i = 0; i < 100; ++i) {
    second.write({id,
                  key_of("c" + std::to_string(i)),
                  std::make_shared<PutImage>(image_of("c" + std::to_string(i), "1")),
                  {}});
    second.run_pending();
    EXPECT_TRUE(reader->get(id, key_of("c" + std::to_string(i))).has_value());
  }
  for (const auto& problem : check_store_invariants("/" + disk.name(), "memdb"))
    ADD_FAILURE() << problem;
}

}  // namespace
}  // namespace meridian::store
