// Trimming, acknowledgements and backlog.
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

using rpc::ReadStatus;

class TrimTest : public StoreTest {
 protected:
  void age() {
    clock_.advance_ms(options_.retention_ms + 1000);
    settle();
  }
  void settle() {
    for (int i = 0; i < 50; ++i) store_->run_pending();
  }
  Reader::ShardSpan span(const TablePtr& table) {
    return store_->open_reader()->shard_span(table->id, ShardId(0));
  }
};

TEST_F(TrimTest, ASingleRegionLogIsTrimmedByAgeAlone) {
  auto table = create_single();
  EXPECT_EQ(span(table).oldest, Sequence(1));
  EXPECT_EQ(span(table).end, Sequence(0));
  for (int i = 0; i < 20; ++i) put(table, "k" + std::to_string(i % 5), std::to_string(i));
  settle();
  EXPECT_EQ(span(table).oldest, Sequence(1));
  auto before = log(table).to;
  age();
  put(table, "k0", "new");
  EXPECT_EQ(span(table).oldest, Sequence(21));
  EXPECT_EQ(span(table).end, Sequence(21));
  EXPECT_EQ(log(table, before).status, ReadStatus::ok);
  EXPECT_EQ(log(table, before).records.size(), 1U);
  EXPECT_EQ(log(table, {before.start, Sequence(7)}).status, ReadStatus::trimmed);
  EXPECT_EQ(log(table).status, ReadStatus::trimmed);
  auto page = store_->open_reader()->read_stream(table->id, ShardId(0), Sequence(5), {}, {});
  EXPECT_TRUE(page.trimmed);
  auto records = stream(table);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].old_image, image_of("k0", "15"));
  check();
  EXPECT_EQ(span(table).oldest, Sequence(21));
}

TEST_F(TrimTest, AnUnacknowledgedRecordIsKept) {
  auto table = create_global();
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "1");
  auto all = log(table).to;
  age();
  EXPECT_EQ(span(table).oldest, Sequence(1));
  acknowledge(table, kThere, all);
  settle();
  EXPECT_EQ(span(table).oldest, Sequence(1));
  acknowledge(table, kElsewhere, {all.start, Sequence(6)});
  age();
  EXPECT_EQ(span(table).oldest, Sequence(7));
  check();
  acknowledge(table, kElsewhere, all);
  age();
  EXPECT_EQ(span(table).oldest, Sequence(11));
  EXPECT_EQ(log(table, all).status, ReadStatus::ok);
}

// The peer that says it stands there is one that was restored, not a witness that this log was.
TEST_F(TrimTest, APositionInARunThatIsGoneWasTrimmed) {
  auto table = create_single();
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "1");
  auto before = log(table).to;
  reopen();
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "2");
  auto after = log(table).to;
  EXPECT_EQ(log(table, before).status, ReadStatus::ok);
  age();
  EXPECT_EQ(span(table).oldest, Sequence(21));
  EXPECT_EQ(log(table, {before.start, Sequence(7)}).status, ReadStatus::trimmed);
  EXPECT_EQ(log(table, before).status, ReadStatus::trimmed);
  EXPECT_EQ(log(table, {before.start, Sequence(21)}).status, ReadStatus::not_in_history);
  EXPECT_EQ(log(table, after).status, ReadStatus::ok);
  check();
  EXPECT_EQ(log(table, before).status, ReadStatus::trimmed);
}

TEST_F(TrimTest, StepsAreBounded) {
  close();
  options_.trim_records_max = 7;
  open();
  auto table = create_single();
  for (int i = 0; i < 30; ++i) put(table, "k" + std::to_string(i), "1");
  clock_.advance_ms(options_.retention_ms + 1000);
  store_->run_pending();
  EXPECT_EQ(span(table).oldest, Sequence(8));
  store_->run_pending();
  EXPECT_EQ(span(table).oldest, Sequence(15));
  settle();
  EXPECT_EQ(span(table).oldest, Sequence(31));
}

TEST_F(TrimTest, StepsAreBoundedOverAllLogs) {
  close();
  options_.trim_records_max = 7;
  open();
  constexpr std::size_t kTables = 12;
  std::vector<TablePtr> tables;
  for (std::size_t i = 0; i < kTables; ++i) {
    tables.push_back(create_single("T" + std::to_string(i)));
    for (int k = 0; k < 10; ++k) put(tables.back(), "k" + std::to_string(k), "1");
  }
  auto deleted = [&] {
    std::uint64_t all = 0;
    for (const auto& table : tables) all += span(table).oldest.value - 1;
    return all;
  };
  clock_.advance_ms(options_.retention_ms + 1000);
  store_->run_pending();
  EXPECT_EQ(deleted(), 8U * 7);
  // It goes on with those that had no turn.
  store_->run_pending();
  EXPECT_EQ(deleted(), kTables * 7 + 8 * 3);
  settle();
  EXPECT_EQ(deleted(), kTables * 10);
}

// A log that begins anew where it ends has no other end for those who wait for it.
TEST_F(TrimTest, AnEmptyTableThatBecomesGlobalTellsItsNewEnd) {
  auto table = create_single();
  put(table, "a", "1");
  remove(table, "a");
  age();
  ASSERT_EQ(span(table).oldest, Sequence(3));
  auto end = [&] { return store_->log_ends(table->id)->end(ShardId(0)); };
  EXPECT_NE(end(), LogPosition{});
  expect_ok([&](ControlDone done) {
    store_->set_replica(table->id, kThere, true, std::move(done));
  });
  EXPECT_EQ(end(), LogPosition{});
  EXPECT_EQ(log(table).status, ReadStatus::ok);
  EXPECT_EQ(log(table).to, LogPosition{});
}

TEST_F(TrimTest, BacklogCountsLocalRecordsOnly) {
  auto table = create_global();
  put(table, "a", "1");
  auto first = log(table).to;
  auto time_us = clock_.wall_us();
  clock_.advance_ms(1000);
  std::vector<rpc::ChangeRecord> records;
  for (std::uint64_t i = 1; i <= 20; ++i)
    records.push_back(remote_put(i, "r" + std::to_string(i), "1", now_ms()));
  apply(table, {}, {StartId(9), Sequence(20)}, records);
  clock_.advance_ms(1000);
  put(table, "b", "22");

  auto backlog = [&](const RegionId& sink) {
    return store_->open_reader()->backlog(table->id, ShardId(0), sink);
  };
  EXPECT_EQ(backlog(kThere).pending_records, 2U);
  EXPECT_EQ(backlog(kThere).oldest_us, time_us);
  acknowledge(table, kThere, first);
  EXPECT_EQ(backlog(kThere).pending_records, 1U);
  EXPECT_EQ(backlog(kThere).pending_bytes, key_of("b").size() + image_of("b", "22").size());
  EXPECT_EQ(backlog(kThere).oldest_us, clock_.wall_us());
  EXPECT_EQ(backlog(kThere).acknowledged, first);
  EXPECT_EQ(backlog(kElsewhere).pending_records, 2U);
  acknowledge(table, kThere, log(table).to);
  EXPECT_EQ(backlog(kThere).pending_records, 0U);
  EXPECT_FALSE(backlog(kThere).oldest_us.has_value());
  acknowledge(table, kThere, first);  // late: does not go back
  EXPECT_EQ(backlog(kThere).pending_records, 0U);
  acknowledge(table, kThere, {StartId(1), Sequence(1)});  // not of this log
  acknowledge(table, RegionId::of("mars-1"), log(table).to);
  reopen();
  EXPECT_EQ(backlog(kThere).pending_records, 0U);
  EXPECT_EQ(backlog(kElsewhere).pending_records, 2U);
}

TEST_F(TrimTest, ATrimmedEmptyTableThatBecomesGlobalStartsItsFlowsHere) {
  auto table = create_single();
  put(table, "a", "1");
  remove(table, "a");
  age();
  EXPECT_EQ(log(table).status, ReadStatus::trimmed);
  for (const auto& region : {kHere, kThere})
    expect_ok([&](ControlDone done) { store_->set_replica(table->id, region, true, done); });
  EXPECT_EQ(log(table).status, ReadStatus::ok);
  put(table, "b", "1");
  auto page = log(table);
  ASSERT_EQ(page.records.size(), 1U);
  EXPECT_EQ(page.to.sequence, Sequence(3));
  acknowledge(table, kThere, page.to);
  age();
  EXPECT_EQ(log(table).status, ReadStatus::trimmed);
  EXPECT_EQ(log(table, page.to).status, ReadStatus::ok);
}

}  // namespace
}  // namespace meridian::store
