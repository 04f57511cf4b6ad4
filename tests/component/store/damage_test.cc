// A file that is not what was written: an error that says so, never a wrong value or an aborted process.
#include <filesystem>
#include <functional>

#include "common/sqlite/sqlite.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class DamageTest : public StoreTest {
 protected:
  DamageTest() {
    table_ = create_global();
    put(table_, "a", "1");
    put(table_, "a", "2");
    put(table_, "b", "1");
    apply(table_, {}, {StartId(9), Sequence(1)}, {remote_put(1, "r", "v", now_ms())});
    acknowledge(table_, kThere, log(table_).to);
  }
  // The store is closed: what a test leaves damaged is not to be checked for invariants.
  void damage(const std::string& sql) {
    close();
    sqlite::Database db(file(), {});
    db.execute(sql);
    ASSERT_GT(db.changes(), 0) << sql;
  }
  static bool throws_damage(const std::function<void()>& call) {
    try {
      call();
    } catch (const sqlite::SqliteError& error) {
      EXPECT_NE(std::string(error.what()).find("damaged"), std::string::npos) << error.what();
      return error.is_damage();
    }
    return false;
  }
  void expect_no_more_writes() {
    store_->run_pending();
    EXPECT_FALSE(store_->health().accepts_writes);
    EXPECT_NE(store_->health().reason.find("damaged"), std::string::npos);
    EXPECT_EQ(put(table_, "new", "1").status, WriteStatus::unavailable);
    close();
  }

  TablePtr table_;
};

TEST_F(DamageTest, ADamagedCatalogKeepsTheStoreFromOpening) {
  const char* cases[] = {
      "UPDATE tables SET id = x'01'",
      "UPDATE tables SET shards = 0",
      "UPDATE tables SET shards = 70000",
      "UPDATE tables SET partition_type = 9",
      "UPDATE replicas SET region = 'No Region!' WHERE region = 'eu-west-1'",
      "UPDATE replicas SET changed = x'00'",
      "UPDATE streams SET view = 77",
      "UPDATE stream_shards SET shard = 9",
      "UPDATE log_shards SET shard = 9",
      "UPDATE history SET shard = 9",
      "UPDATE flows SET source = ''",
      "UPDATE acknowledgements SET sink = '?'",
      "UPDATE acknowledgements SET shard = 1",
      "UPDATE identities SET region = '?'",
  };
  close();
  const std::string good = file() + ".good";
  std::filesystem::copy_file(file(), good);
  for (const char* sql : cases) {
    std::filesystem::copy_file(good, file(), std::filesystem::copy_options::overwrite_existing);
    damage(sql);
    EXPECT_TRUE(throws_damage([this] { open(); })) << sql;
    close();
  }
}

TEST_F(DamageTest, AVersionOfAnItem) {
  damage("UPDATE item_1 SET version = x'00' WHERE key = (SELECT min(key) FROM item_1)");
  open();
  auto reader = store_->open_reader();
  EXPECT_TRUE(throws_damage([&] { reader->scan_rows(table_->id, {}, 100); }));
  EXPECT_TRUE(throws_damage([&] { reader->get_row(table_->id, key_of("a")); }));
  expect_no_more_writes();
}

TEST_F(DamageTest, AVersionOfAnItemThatTheWriterMeets) {
  damage("UPDATE item_1 SET version = x'00'");
  open();
  EXPECT_EQ(put(table_, "a", "3").status, WriteStatus::unavailable);
  expect_no_more_writes();
}

TEST_F(DamageTest, TheContextOfAnItemThatTheWriterMeets) {
  damage("UPDATE item_1 SET context = x'ff'");
  open();
  EXPECT_EQ(put(table_, "a", "3").status, WriteStatus::unavailable);
  expect_no_more_writes();
}

TEST_F(DamageTest, ARecordOfTheLog) {
  close();
  const std::string good = file() + ".good";
  std::filesystem::copy_file(file(), good);
  for (const char* set : {"version = x'00'", "context = x'ff'", "parent = x'01'",
                          "version = (SELECT version FROM log_1_0 WHERE (flags & 2) = 0)"}) {
    std::filesystem::copy_file(good, file(), std::filesystem::copy_options::overwrite_existing);
    damage(std::string("UPDATE log_1_0 SET ") + set + " WHERE seq = 2");
    open();
    EXPECT_TRUE(throws_damage([this] { log(table_); })) << set;
    expect_no_more_writes();
  }
}

TEST_F(DamageTest, AnImageThatTheLogHasLost) {
  damage("DELETE FROM next_1_0");
  open();
  EXPECT_TRUE(throws_damage([&] { log(table_); }));
  expect_no_more_writes();
}

TEST_F(DamageTest, TheHistoryOfStarts) {
  damage("DELETE FROM history");
  open();
  EXPECT_TRUE(throws_damage([&] { log(table_); }));
  expect_no_more_writes();
}

}  // namespace
}  // namespace meridian::store
