// The SQLite wrapper: what it binds, when it resets, how it fails.
#include "common/sqlite/sqlite.h"

#include "tests/component/store/fixture.h"

namespace meridian::sqlite {
namespace {

class SqliteTest : public ::testing::Test {
 protected:
  store::TempDir dir_;
  std::string path_ = dir_.path() + "/x.db";
  Database db_{path_, {}};
};

TEST_F(SqliteTest, ValuesComeBackAsTheyWent) {
  db_.execute("CREATE TABLE t(a, b, c, d, e, f)");
  Statement insert(db_, "INSERT INTO t VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  std::uint64_t large = ~std::uint64_t{0} - 5;
  insert.execute(std::int64_t{-7}, large, BytesView("a\0b", 3), Text{"text"}, nullptr, BytesView());
  Statement select(db_, "SELECT a, b, c, d, e, f, typeof(c), typeof(d), typeof(f) FROM t");
  Query row = select.run();
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.int64(0), -7);
  EXPECT_EQ(row.uint64(1), large);
  EXPECT_EQ(row.blob(2), BytesView("a\0b", 3));
  EXPECT_EQ(row.text(3), "text");
  EXPECT_TRUE(row.is_null(4));
  EXPECT_FALSE(row.is_null(5));  // an empty blob is not NULL
  EXPECT_EQ(row.maybe_blob(5), BytesView());
  EXPECT_EQ(row.text(6), "blob");
  EXPECT_EQ(row.text(7), "text");
  EXPECT_EQ(row.text(8), "blob");
  EXPECT_FALSE(row.step());
}

TEST_F(SqliteTest, OptionalsBindNull) {
  db_.execute("CREATE TABLE t(a, b)");
  Statement insert(db_, "INSERT INTO t VALUES(?1, ?2)");
  insert.execute(std::optional<BytesView>(), std::optional<Bytes>("x"));
  EXPECT_EQ(db_.query_int64("SELECT count(*) FROM t WHERE a IS NULL AND b = x'78'"), 1);
}

TEST_F(SqliteTest, AQueryResetsItsStatementAtTheEndOfItsScope) {
  db_.execute("CREATE TABLE t(a); INSERT INTO t VALUES(1), (2)");
  Statement select(db_, "SELECT a FROM t ORDER BY a");
  for (int i = 0; i < 2; ++i) {
    Query row = select.run();
    ASSERT_TRUE(row.step());
    EXPECT_EQ(row.int64(0), 1);  // left half-way
  }
  db_.execute("DROP TABLE t");  // would be refused while a query runs
}

TEST_F(SqliteTest, AFailedStepLeavesTheStatementUsable) {
  db_.execute("CREATE TABLE t(a UNIQUE)");
  Statement insert(db_, "INSERT INTO t VALUES(?1)");
  insert.execute(1);
  EXPECT_THROW(insert.execute(1), SqliteError);
  insert.execute(2);
  EXPECT_EQ(db_.query_int64("SELECT count(*) FROM t"), 2);
}

TEST_F(SqliteTest, ATransactionRollsBackUnlessCommitted) {
  db_.execute("CREATE TABLE t(a)");
  {
    Transaction transaction(db_);
    db_.execute("INSERT INTO t VALUES(1)");
  }
  EXPECT_FALSE(db_.in_transaction());
  Transaction transaction(db_);
  db_.execute("INSERT INTO t VALUES(2)");
  transaction.commit();
  EXPECT_EQ(db_.query_int64("SELECT sum(a) FROM t"), 2);
}

TEST_F(SqliteTest, FailuresCarryTheirCode) {
  db_.execute("PRAGMA max_page_count=4; CREATE TABLE t(a)");
  try {
    db_.execute("INSERT INTO t VALUES(zeroblob(100000))");
    FAIL() << "fitted into four pages";
  } catch (const SqliteError& error) {
    EXPECT_TRUE(error.is_full()) << error.what();
    EXPECT_FALSE(error.is_busy());
  }
  Database other(path_, {});
  Transaction held(db_);
  try {
    Transaction second(other);
    FAIL() << "two writers";
  } catch (const SqliteError& error) {
    EXPECT_TRUE(error.is_busy()) << error.what();
  }
  EXPECT_THROW(Database(dir_.path() + "/none.db", {OpenMode::read_only, "", 0}), SqliteError);
}

TEST_F(SqliteTest, CheckpointsAreTheCallersOnceTakenOver) {
  db_.execute("PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
  db_.take_over_checkpoints();
  db_.execute("INSERT INTO t VALUES(zeroblob(8000000))");
  EXPECT_GT(db_.wal_frames(), 1500);  // past the automatic checkpoint, which did not come
  EXPECT_TRUE(db_.checkpoint_passive());
  db_.execute("INSERT INTO t VALUES(1)");
  EXPECT_LT(db_.wal_frames(), 100);
}

}  // namespace
}  // namespace meridian::sqlite
