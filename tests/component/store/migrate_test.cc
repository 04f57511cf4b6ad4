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
    db.execute("DROP TABLE cursors");
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
  make_older();
  open();
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
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

}  // namespace
}  // namespace meridian::store
