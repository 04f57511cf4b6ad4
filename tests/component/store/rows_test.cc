// Rows of backfill and repair: read in one region, applied in another, with a cursor.
#include "region-node/store/cursors.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using rpc::ApplyStatus;

class RowsTest : public StoreTest {
 protected:
  static Row row(const std::string& pk, const std::string& value, std::int64_t hlc_ms,
                 RegionId region = kElsewhere) {
    Row out;
    out.key = key_of(pk);
    out.version = {conflict::Hlc::at_ms(hlc_ms), region};
    out.context = *conflict::Context::from_entries({{kThere, conflict::Hlc::at_ms(hlc_ms - 1)}});
    if (!value.empty()) out.image = image_of(pk, value);
    return out;
  }
  rpc::RowsOutcome apply_rows(const TablePtr& table, std::vector<Row> rows,
                              std::optional<rpc::CursorMove> cursor = std::nullopt) {
    rpc::RowsOutcome out;
    store_->apply_rows({table->id, kThere, std::move(rows), std::move(cursor)},
                       [&out](const rpc::RowsOutcome& outcome) { out = outcome; });
    store_->run_pending();
    return out;
  }
  rpc::RowsPage read(const TablePtr& table, const Bytes& after, std::uint32_t rows_max,
                     std::uint32_t bytes_max = 1 << 20, std::optional<Bytes> until = {}) {
    return store_->open_reader()->read_rows({table->id, after, std::move(until), rows_max,
                                             bytes_max});
  }
  std::optional<Bytes> cursor(const TablePtr& table, const std::string& name) {
    return store_->open_reader()->cursor(table->id, name);
  }
};

TEST_F(RowsTest, WinnersBecomeItemsAndRecordsThatAreNotShipped) {
  auto table = create_global();
  auto local = put(table, "b", "newer");
  auto outcome = apply_rows(table, {row("a", "1", now_ms()), row("b", "older", now_ms() - 50),
                                    row("c", "", now_ms())});
  EXPECT_EQ(outcome.status, ApplyStatus::applied);
  EXPECT_EQ(outcome.applied, 2U);
  EXPECT_EQ(get(table, "a"), image_of("a", "1"));
  EXPECT_EQ(get(table, "b"), image_of("b", "newer"));
  auto stored = store_->open_reader()->get_row(table->id, key_of("c"));
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(*stored, row("c", "", now_ms()));
  // The item is new to the stream; a tombstone over nothing is not; neither is shipped.
  auto records = stream(table);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].version.region, kElsewhere);
  auto page = log(table);
  ASSERT_EQ(page.records.size(), 1U);
  EXPECT_EQ(page.records[0].version, local.version);
  EXPECT_EQ(page.pending, 0U);
  check();
}

TEST_F(RowsTest, ApplyingAgainChangesNothing) {
  auto table = create_global();
  std::vector<Row> rows{row("a", "1", now_ms()), row("b", "2", now_ms())};
  apply_rows(table, rows);
  auto end = log(table).end;
  auto epoch = read(table, {}, 1).epoch;
  EXPECT_EQ(apply_rows(table, rows).applied, 0U);
  EXPECT_EQ(log(table).end, end);
  EXPECT_EQ(read(table, {}, 1).epoch, epoch);
}

TEST_F(RowsTest, TheCursorMovesWithTheRows) {
  auto table = create_global();
  auto outcome = apply_rows(table, {row("a", "1", now_ms())}, rpc::CursorMove{"copy", {}, "one"});
  EXPECT_EQ(outcome.status, ApplyStatus::applied);
  EXPECT_EQ(outcome.cursor, "one");
  // Whoever goes on elsewhere is told where it stands, and nothing is applied.
  outcome = apply_rows(table, {row("b", "1", now_ms())}, rpc::CursorMove{"copy", {}, "two"});
  EXPECT_EQ(outcome.status, ApplyStatus::wrong_position);
  EXPECT_EQ(outcome.cursor, "one");
  EXPECT_FALSE(get(table, "b").has_value());
  reopen();
  EXPECT_EQ(cursor(table, "copy"), "one");
  outcome = apply_rows(table, {}, rpc::CursorMove{"copy", "one", std::nullopt});
  EXPECT_EQ(outcome.status, ApplyStatus::applied);
  EXPECT_EQ(cursor(table, "copy"), std::nullopt);
  reopen();
  EXPECT_EQ(cursor(table, "copy"), std::nullopt);
  EXPECT_EQ(apply_rows(table, {}, rpc::CursorMove{kRowsEpoch, {}, "x"}).status,
            ApplyStatus::invalid);
}

TEST_F(RowsTest, TheClockGuardHoldsThemAll) {
  auto table = create_global();
  std::vector<Row> rows{row("a", "1", now_ms()), row("b", "1", now_ms() + 800)};
  auto outcome = apply_rows(table, rows, rpc::CursorMove{"copy", {}, "one"});
  EXPECT_EQ(outcome.status, ApplyStatus::held);
  EXPECT_EQ(outcome.retry_ms, 300);
  EXPECT_EQ(outcome.clock_ahead_ms, 800);
  EXPECT_FALSE(get(table, "a").has_value());
  EXPECT_EQ(cursor(table, "copy"), std::nullopt);
  clock_.advance_ms(300);
  EXPECT_EQ(apply_rows(table, rows).status, ApplyStatus::applied);
  EXPECT_GT(put(table, "b", "2").version, rows[1].version);
}

TEST_F(RowsTest, WhatIsNoRowOfThisTableIsParked) {
  auto table = create_global();
  auto bad = row("a", "1", now_ms());
  bad.image = "no image";
  auto outcome = apply_rows(table, {bad, row("b", "1", now_ms())});
  EXPECT_EQ(outcome.status, ApplyStatus::applied);
  EXPECT_EQ(outcome.parked, 1U);
  EXPECT_EQ(outcome.applied, 1U);
  EXPECT_EQ(store_->open_reader()->parked(table->id, 10, 0).size(), 1U);
}

TEST_F(RowsTest, OnlyMembersAndOnlyWhatKeepsTheOrder) {
  auto table = create_global();
  EXPECT_EQ(apply_rows(table, {row("b", "1", now_ms()), row("a", "1", now_ms())}).status,
            ApplyStatus::invalid);
  EXPECT_EQ(apply_rows(table, {row("a", "1", now_ms()), row("a", "1", now_ms())}).status,
            ApplyStatus::invalid);
  auto alone = create_single("Alone");
  EXPECT_EQ(apply_rows(alone, {row("a", "1", now_ms())}).status, ApplyStatus::not_member);
  TableInfo gone = *table;
  gone.id = TableId{1, 2};
  EXPECT_EQ(apply_rows(std::make_shared<TableInfo>(gone), {}).status, ApplyStatus::no_such_table);
  EXPECT_EQ(read(std::make_shared<TableInfo>(gone), {}, 1).status, rpc::RowsStatus::no_such_table);
}

TEST_F(RowsTest, PagesKeepToTheirBoundsAndMeetWithoutGap) {
  auto table = create_global();
  for (const char* pk : {"a", "b", "c", "d", "e"}) put(table, pk, std::string(100, 'x'));
  remove(table, "c");
  auto page = read(table, {}, 2);
  EXPECT_EQ(page.rows.size(), 2U);
  EXPECT_FALSE(page.end);
  page = read(table, page.rows.back().key, 2);
  ASSERT_EQ(page.rows.size(), 2U);
  EXPECT_FALSE(page.rows[0].image.has_value());
  page = read(table, page.rows.back().key, 2);
  EXPECT_EQ(page.rows.size(), 1U);
  EXPECT_TRUE(page.end);
  EXPECT_TRUE(read(table, page.rows.back().key, 2).end);
  // A bound in bytes lets one row through, always.
  EXPECT_EQ(read(table, {}, 10, 1).rows.size(), 1U);
  EXPECT_EQ(read(table, {}, 10, 300).rows.size(), 3U);  // the third is a tombstone
  // The end of a range is the end, though the table goes on.
  page = read(table, {}, 10, 1 << 20, key_of("b"));
  EXPECT_EQ(page.rows.size(), 1U);
  EXPECT_TRUE(page.end);
}

}  // namespace
}  // namespace meridian::store
