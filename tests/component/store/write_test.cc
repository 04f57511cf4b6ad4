// Local writes: what they leave in the item, the log and the stream.
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class WriteTest : public StoreTest {};

TEST_F(WriteTest, PutUpdateDeleteLeaveRecordsWithBothImages) {
  auto table = create_single();
  auto first = put(table, "a", "1");
  ASSERT_EQ(first.status, WriteStatus::committed);
  auto second = put(table, "a", "2");
  auto third = remove(table, "a");
  EXPECT_LT(first.version, second.version);
  EXPECT_LT(second.version, third.version);
  EXPECT_FALSE(get(table, "a").has_value());

  auto records = stream(table);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].new_image, image_of("a", "1"));
  EXPECT_FALSE(records[0].old_image.has_value());
  EXPECT_FALSE(records[0].parent.has_value());
  EXPECT_EQ(records[1].new_image, image_of("a", "2"));
  EXPECT_EQ(records[1].old_image, image_of("a", "1"));
  EXPECT_EQ(records[1].parent, first.version);
  EXPECT_TRUE(records[1].context.covers(first.version));
  EXPECT_FALSE(records[2].new_image.has_value());
  EXPECT_EQ(records[2].old_image, image_of("a", "2"));
  EXPECT_TRUE(records[2].context.covers(second.version));
  EXPECT_FALSE(records[2].context.covers(third.version));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(records[i].sequence, Sequence(i + 1));
    EXPECT_EQ(records[i].committed_us, clock_.wall_us());
  }
}

TEST_F(WriteTest, AnItemPutAgainAfterADeleteKnowsTheTombstone) {
  auto table = create_single();
  put(table, "a", "1");
  auto removed = remove(table, "a");
  auto back = put(table, "a", "2");
  auto records = stream(table);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[2].parent, removed.version);
  EXPECT_FALSE(records[2].old_image.has_value());
  EXPECT_EQ(records[2].new_image, image_of("a", "2"));
  auto row = store_->open_reader()->get_row(table->id, key_of("a"));
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->version, back.version);
  EXPECT_EQ(row->image, image_of("a", "2"));
}

TEST_F(WriteTest, MutationsSeeTheCurrentImageEvenWithinAGroup) {
  auto table = create_single();
  auto first = std::make_shared<PutImage>(image_of("a", "1"));
  auto second = std::make_shared<PutImage>(image_of("a", "2"));
  store_->write({table->id, key_of("a"), first, {}});
  store_->write({table->id, key_of("a"), second, {}});
  store_->run_pending();
  EXPECT_FALSE(first->seen.has_value());
  EXPECT_EQ(second->seen, image_of("a", "1"));
}

TEST_F(WriteTest, ARejectedWriteChangesNothingAndCostsNoCommit) {
  auto table = create_single();
  auto commits = store_->health().commits;
  EXPECT_EQ(mutate(table, "a", std::make_shared<RejectAll>()).status, WriteStatus::rejected);
  EXPECT_EQ(store_->health().commits, commits);
  EXPECT_EQ(log(table).end, Sequence(0));
}

TEST_F(WriteTest, NoOpOnASingleRegionTableDoesNothing) {
  auto table = create_single();
  auto first = put(table, "a", "1");
  auto again = put(table, "a", "1");
  EXPECT_EQ(again.status, WriteStatus::committed);
  EXPECT_EQ(again.version, first.version);
  EXPECT_EQ(remove(table, "never").status, WriteStatus::committed);
  EXPECT_EQ(log(table).end, Sequence(1));
}

TEST_F(WriteTest, NoOpOnAGlobalTableShipsWithoutAStreamRecord) {
  auto table = create_global();
  auto first = put(table, "a", "1");
  auto again = put(table, "a", "1");
  EXPECT_LT(first.version, again.version);
  EXPECT_EQ(remove(table, "never").status, WriteStatus::committed);
  EXPECT_EQ(stream(table).size(), 1U);

  auto page = log(table);
  ASSERT_EQ(page.records.size(), 3U);
  EXPECT_FALSE(page.records[1].in_stream);
  EXPECT_EQ(page.records[1].new_image, image_of("a", "1"));
  EXPECT_FALSE(page.records[2].in_stream);
  EXPECT_FALSE(page.records[2].new_image.has_value());
  auto row = store_->open_reader()->get_row(table->id, key_of("never"));
  ASSERT_TRUE(row.has_value());
  EXPECT_FALSE(row->image.has_value());
  auto stats = store_->open_reader()->stats(table->id);
  EXPECT_EQ(stats.items, 1U);
  EXPECT_EQ(stats.tombstones, 1U);
}

TEST_F(WriteTest, UnknownTableIsSaid) {
  auto nowhere = std::make_shared<TableInfo>();
  nowhere->id = TableId{1, 2};
  EXPECT_EQ(put(nowhere, "a", "1").status, WriteStatus::no_such_table);
  EXPECT_FALSE(get(nowhere, "a").has_value());
}

TEST_F(WriteTest, StatsFollowTheRows) {
  auto table = create_single();
  put(table, "a", "1");
  put(table, "b", "22");
  remove(table, "a");
  auto stats = store_->open_reader()->stats(table->id);
  EXPECT_EQ(stats.items, 1U);
  EXPECT_EQ(stats.item_bytes, image_of("b", "22").size());
  EXPECT_EQ(stats.tombstones, 1U);
  check();
}

TEST_F(WriteTest, ScansGoBothWaysWithinARange) {
  auto table = create_single();
  for (const char* pk : {"a", "b", "c", "d"}) put(table, pk, "1");
  remove(table, "c");
  auto keys = [&](const KeyRange& range, Direction direction, std::size_t most = 10) {
    std::string out;
    store_->open_reader()->scan(table->id, range, direction, [&](BytesView key, BytesView) {
      out += key[0];
      return out.size() < most;
    });
    return out;
  };
  EXPECT_EQ(keys({}, Direction::ascending), "abd");
  EXPECT_EQ(keys({}, Direction::descending), "dba");
  EXPECT_EQ(keys({key_of("a"), true, std::nullopt}, Direction::ascending), "bd");
  EXPECT_EQ(keys({key_of("a"), false, key_of("d")}, Direction::ascending), "ab");
  EXPECT_EQ(keys({key_of("a"), true, key_of("d")}, Direction::descending), "b");
  EXPECT_EQ(keys({}, Direction::ascending, 2), "ab");
  auto rows = store_->open_reader()->scan_rows(table->id, key_of("a"), 2);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].key, key_of("c"));
  EXPECT_FALSE(rows[1].image.has_value());
}

TEST_F(WriteTest, ASteppedClockRefusesClientsUntilAccepted) {
  auto table = create_single();
  put(table, "a", "1");
  clock_.step_ms(-60'000);
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::clock_refused);
  EXPECT_TRUE(store_->health().clock_stepped);
  store_->accept_clock();
  store_->run_pending();
  // The versions already given out lie a minute ahead: peers would hold what follows them.
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::clock_refused);
  clock_.advance_ms(60'000);
  EXPECT_EQ(put(table, "a", "2").status, WriteStatus::committed);
}

TEST_F(WriteTest, UnacknowledgedBytesAreBounded) {
  close();
  options_.unacknowledged_bytes_max = 100;
  open();
  auto table = create_global();
  auto marks = [&] { return store_->catalog()->find(table->id)->repairs; };
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(put(table, "k" + std::to_string(i), "1").status, WriteStatus::committed);
    acknowledge(table, kThere, log(table).to);
  }
  // The one that does not acknowledge is cut loose; the other is not.
  ASSERT_EQ(marks().size(), 1U);
  EXPECT_EQ(marks().begin()->first, kElsewhere);
  EXPECT_EQ(marks().begin()->second.reason, RepairReason::log_bound);
  EXPECT_EQ(store_->health().peers_cut_loose, 1U);
  // The log is kept for the one that is left.
  options_.retention_ms = 0;
  reopen();
  EXPECT_EQ(marks().size(), 1U);
  clock_.advance_ms(5'000);
  store_->run_pending();
  EXPECT_EQ(log(table, log(table).to).status, rpc::ReadStatus::trimmed);
}

// It gets what was there before as rows; what it has not acknowledged is what came since.
TEST_F(WriteTest, AReplicaThatFillsItselfOwesNothingOfWhatWasBefore) {
  close();
  options_.unacknowledged_bytes_max = 100;
  open();
  auto table = create_single();
  auto marks = [&] { return store_->catalog()->find(table->id)->repairs; };
  for (int i = 0; i < 20; ++i) put(table, "k" + std::to_string(i), "1");
  conflict::Version joined{conflict::Hlc::at_ms(now_ms()), kThere};
  expect_ok([&](ControlDone done) {
    store_->merge_replicas(table->id, {{kThere, {true, joined, true, false, joined}}},
                           std::move(done));
  });
  put(table, "a", "1");
  EXPECT_TRUE(marks().empty());
  reopen();
  put(table, "a", "2");
  EXPECT_TRUE(marks().empty());
  for (int i = 0; i < 20; ++i) put(table, "k" + std::to_string(i), "2");
  EXPECT_EQ(marks().at(kThere).reason, RepairReason::log_bound);
}

}  // namespace
}  // namespace meridian::store
