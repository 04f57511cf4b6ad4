// A file of an older format is brought up to date when it is opened, with everything that it holds.
#include "common/sqlite/sqlite.h"
#include "region-node/store/schema.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class MigrateTest : public StoreTest {
 protected:
  // What the format before had not.
  void make_older() {
    close();
    sqlite::Database db(file(), {});
    db.execute("DROP TABLE cursors; DROP TABLE conflicts; DROP TABLE ledgers;"
               " DROP TABLE repairs");
    db.execute("ALTER TABLE replicas DROP COLUMN joined");
    // Settings were columns, and had no versions.
    db.execute(
        "DROP TABLE settings;"
        "ALTER TABLE tables ADD COLUMN billing_mode TEXT NOT NULL DEFAULT 'PROVISIONED';"
        "ALTER TABLE tables ADD COLUMN read_units INTEGER NOT NULL DEFAULT 5;"
        "ALTER TABLE tables ADD COLUMN write_units INTEGER NOT NULL DEFAULT 6");
    db.execute("DROP TABLE watermarks; DROP TABLE collections; DROP TABLE tombstones_1;"
               " DELETE FROM meta WHERE name = 'barrier'");
    db.execute("PRAGMA user_version=1");
  }
  std::int64_t format() {
    sqlite::Database db(file(), {});
    return db.query_int64("PRAGMA user_version").value_or(0);
  }
};

TEST_F(MigrateTest, AFileOfFormat1GoesOn) {
  auto table = create_global();
  put(table, "a", "1");
  put(table, "gone", "1");
  remove(table, "gone");
  make_older();
  open();
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  Settings settings;
  settings.set("billing_mode", "PROVISIONED");
  settings.set("read_units", "5");
  settings.set("write_units", "6");
  settings.set("stream_view", "NEW_AND_OLD_IMAGES");
  EXPECT_EQ(store_->catalog()->find(table->id)->settings, settings);
  put(table, "b", "2");
  rpc::RowsOutcome outcome;
  store_->apply_rows({table->id, kThere, {}, rpc::CursorMove{"copy", {}, "one"}},
                     [&outcome](const rpc::RowsOutcome& said) { outcome = said; });
  store_->run_pending();
  EXPECT_EQ(outcome.status, rpc::ApplyStatus::applied);
  check();
  EXPECT_EQ(store_->open_reader()->cursor(table->id, "copy"), "one");
  close();
  EXPECT_EQ(format(), kFormatVersion);
  open();
}

// The ledger begins empty: what was written before is for other regions to list.
TEST_F(MigrateTest, TheLedgerOfAFileOfFormat1BeginsNow) {
  auto table = create_global();
  auto before = put(table, "a", "1");
  make_older();
  open();
  auto summary = store_->open_reader()->ledger(table->id);
  EXPECT_EQ(summary.entries, 0U);
  EXPECT_GE(summary.complete_after, before.version.hlc);
  auto local = put(table, "b", "mine");
  EXPECT_LT(summary.complete_after, local.version.hlc);
  clock_.advance_ms(400);
  apply(table, {}, {StartId(900), Sequence(1)}, {remote_put(1, "b", "theirs", now_ms())});
  EXPECT_EQ(store_->open_reader()->ledger(table->id).entries, 1U);
}

}  // namespace
}  // namespace meridian::store
