// The conflict ledger in the store: what is listed, withdrawn, kept and dropped, and a key's history.
#include "conflict/no_ledger.h"
#include "region-node/store/schema.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class LedgerTest : public StoreTest {
 protected:
  LedgerTest() { table_ = create_global(); }

  // A record of kThere, built on `parent` as far as it names one.
  rpc::ChangeRecord remote(const std::string& value, std::int64_t hlc_ms,
                           const std::optional<conflict::Lineage>& parent = {}) {
    auto record = remote_put(++sequence_, "a", value, hlc_ms);
    if (parent) {
      record.parent = parent->version;
      record.context = parent->context.extended_by(parent->version);
    }
    record.committed_us = hlc_ms * 1000 + 7;
    return record;
  }
  rpc::ApplyStatus take(const rpc::ChangeRecord& record) {
    LogPosition to{StartId(900), Sequence(sequence_)};
    auto outcome = apply(table_, position_, to, {record});
    if (outcome.status == rpc::ApplyStatus::applied) position_ = outcome.position;
    return outcome.status;
  }
  std::vector<LedgerEntry> listed(LedgerQuery query = {}) {
    return store_->open_reader()->conflicts(table_->id, query).entries;
  }
  LedgerSummary summary() { return store_->open_reader()->ledger(table_->id); }
  conflict::Lineage lineage(const std::string& pk = "a") {
    auto row = store_->open_reader()->get_row(table_->id, key_of(pk));
    return {row->version, row->context};
  }

  TablePtr table_;
  std::uint64_t sequence_ = 0;
  LogPosition position_;
};

TEST_F(LedgerTest, ALocalWriteThatIsBeatenUnseenIsListedWithBothSides) {
  std::int64_t written_us = clock_.wall_us();
  auto local = put(table_, "a", "mine");
  clock_.advance_ms(10);
  auto record = remote("theirs", now_ms());
  take(record);
  auto entries = listed();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].key, key_of("a"));
  EXPECT_EQ(entries[0].loser.lineage.version, local.version);
  EXPECT_EQ(entries[0].loser.image, image_of("a", "mine"));
  EXPECT_EQ(entries[0].loser.committed_us, written_us);
  EXPECT_EQ(entries[0].winner.lineage, (conflict::Lineage{record.version, record.context}));
  EXPECT_EQ(entries[0].winner.image, record.new_image);
  EXPECT_EQ(entries[0].winner.committed_us, record.committed_us);
  EXPECT_EQ(entries[0].listed_us, clock_.wall_us());
  EXPECT_EQ(store_->health().conflicts_lost_here, 1U);
  EXPECT_EQ(store_->health().conflicts_lost_elsewhere, 0U);
  ASSERT_EQ(store_->health().conflicts.size(), 1U);
  EXPECT_EQ(store_->health().conflicts[0].table, table_->id);
  EXPECT_EQ(store_->health().conflicts[0].lost_here, 1U);
  EXPECT_EQ(store_->health().conflicts[0].lost_elsewhere, 0U);
  EXPECT_EQ(store_->health().ledger_entries, 1U);
  EXPECT_EQ(summary().entries, 1U);
  EXPECT_LT(summary().complete_after, local.version.hlc);
  reopen();
  EXPECT_EQ(listed().size(), 1U);
}

TEST_F(LedgerTest, ARecordThatIsBeatenUnseenIsListedOnce) {
  clock_.advance_ms(100);
  auto local = remove(table_, "a");
  auto record = remote("theirs", now_ms() - 50);
  take(record);
  ++sequence_;
  auto again = record;
  again.sequence = Sequence(sequence_);
  take(again);
  auto entries = listed();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].loser.lineage.version, record.version);
  EXPECT_EQ(entries[0].loser.image, record.new_image);
  EXPECT_EQ(entries[0].winner.lineage.version, local.version);
  EXPECT_EQ(entries[0].winner.image, std::nullopt);
  EXPECT_TRUE(entries[0].winner.removed);
  EXPECT_FALSE(entries[0].loser.removed);
  EXPECT_EQ(store_->health().conflicts_lost_elsewhere, 1U);
  EXPECT_EQ(store_->health().conflicts_lost_here, 0U);
  EXPECT_EQ(store_->health().conflicts.at(0).lost_elsewhere, 1U);
  EXPECT_EQ(store_->health().conflicts.at(0).lost_here, 0U);
}

TEST_F(LedgerTest, WhatTheWinnerKnewIsNoConflict) {
  put(table_, "a", "mine");
  auto before = lineage();
  clock_.advance_ms(10);
  auto record = remote("theirs", now_ms(), before);
  take(record);
  clock_.advance_ms(10);
  put(table_, "a", "mine again");  // knows the record
  ++sequence_;
  record.sequence = Sequence(sequence_);
  take(record);  // late, and covered
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(store_->health().records_stale, 1U);
}

TEST_F(LedgerTest, AWriteThatWasBuiltUponIsWithdrawnThoughItsChildLosesToo) {
  put(table_, "a", "mine");
  auto mine = lineage();
  clock_.advance_ms(100);
  take(remote("theirs", now_ms()));
  ASSERT_EQ(listed().size(), 1U);
  auto child = remote("child", now_ms() - 50, mine);
  take(child);
  auto entries = listed();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].loser.lineage.version, child.version);
  EXPECT_EQ(store_->health().ledger_entries, 1U);
  check();
  EXPECT_EQ(summary().entries, 1U);
}

TEST_F(LedgerTest, ALaterWriteOfTheRegionDoesNotWithdrawABeatenOne) {
  put(table_, "a", "first");
  auto first = lineage();
  clock_.advance_ms(10);
  take(remote("theirs", now_ms()));
  clock_.advance_ms(10);
  put(table_, "a", "second");
  auto second = lineage();
  clock_.advance_ms(10);
  take(remote("on second", now_ms(), second));
  auto entries = listed();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].loser.lineage.version, first.version);
}

TEST_F(LedgerTest, AParkedWinnerBeatsNobody) {
  put(table_, "a", "mine");
  clock_.advance_ms(10);
  auto broken = remote("theirs", now_ms());
  broken.new_image = "not an image";
  take(broken);
  EXPECT_TRUE(listed().empty());
}

TEST_F(LedgerTest, PagesAndFilters) {
  std::vector<conflict::Version> losers;
  for (const char* pk : {"a", "b", "c"}) {
    losers.push_back(put(table_, pk, "mine").version);
    clock_.advance_ms(10);
    take(remote_put(++sequence_, pk, "theirs", now_ms()));
    clock_.advance_ms(10);
  }
  auto reader = store_->open_reader();
  LedgerQuery query;
  query.entries_max = 2;
  query.images = false;
  auto page = reader->conflicts(table_->id, query);
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(page.entries[0].loser.image, std::nullopt);
  EXPECT_FALSE(page.entries[0].loser.removed);
  query.after_key = page.entries[1].key;
  query.after_version = page.entries[1].loser.lineage.version;
  page = reader->conflicts(table_->id, query);
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_FALSE(page.more);

  auto only = [&](LedgerQuery filter) {
    auto entries = listed(filter);
    return entries.size() == 1 ? entries[0].loser.lineage.version : conflict::Version{};
  };
  LedgerQuery by_key;
  by_key.key = key_of("b");
  EXPECT_EQ(only(by_key), losers[1]);
  LedgerQuery by_time;
  by_time.from = losers[2].hlc;
  EXPECT_EQ(only(by_time), losers[2]);
  by_time.from = {};
  by_time.to = losers[1].hlc;
  EXPECT_EQ(only(by_time), losers[0]);
  LedgerQuery by_version;
  by_version.version = losers[1];
  EXPECT_EQ(only(by_version), losers[1]);
  by_version.key = key_of("a");
  EXPECT_TRUE(listed(by_version).empty());
  LedgerQuery by_bytes;
  by_bytes.bytes_max = 1;
  EXPECT_EQ(listed(by_bytes).size(), 1U);
}

TEST_F(LedgerTest, TheOldestFallOutAndAreCounted) {
  close();
  options_.ledger_entries_max = 3;
  open();
  clock_.advance_ms(200);  // past what the earlier run may have minted
  std::vector<conflict::Version> losers;
  for (int i = 0; i < 5; ++i) {
    std::string pk = "k" + std::to_string(9 - i);  // not in the order of keys
    losers.push_back(put(table_, pk, "mine").version);
    clock_.advance_ms(10);
    take(remote_put(++sequence_, pk, "theirs", now_ms()));
    clock_.advance_ms(10);
  }
  EXPECT_EQ(summary().entries, 3U);
  EXPECT_EQ(summary().dropped, 2U);
  EXPECT_EQ(summary().complete_after, losers[1].hlc);
  EXPECT_EQ(store_->health().ledger_dropped, 2U);
  for (const auto& entry : listed()) EXPECT_GT(entry.loser.lineage.version, losers[1]);

  close();
  options_.ledger_entries_max = 100;
  options_.ledger_bytes_max = 1;
  open();
  clock_.advance_ms(200);
  put(table_, "a", "mine");
  clock_.advance_ms(10);
  take(remote("theirs", now_ms()));
  EXPECT_EQ(summary().entries, 0U);
  EXPECT_EQ(summary().dropped, 6U);
  EXPECT_EQ(store_->health().ledger_bytes, 0U);
}

TEST_F(LedgerTest, ARegionWithoutALedgerSaysSo) {
  auto conflict = [this](const std::string& pk) {
    auto loser = put(table_, pk, "mine").version;
    clock_.advance_ms(10);
    take(remote_put(++sequence_, pk, "theirs", now_ms()));
    return loser;
  };
  auto run = [this](std::uint64_t entries_max) {
    close();
    options_.ledger_entries_max = entries_max;
    open();
    clock_.advance_ms(200);  // past what the earlier run may have minted
  };
  conflict("a");
  run(0);
  EXPECT_EQ(summary().entries, 0U);
  EXPECT_EQ(summary().complete_after, conflict::kNoLedger);
  auto unlisted = conflict("b");
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(store_->health().conflicts_lost_here, 0U);
  EXPECT_EQ(summary().complete_after, conflict::kNoLedger);
  auto other = create_global("U");
  EXPECT_EQ(store_->open_reader()->ledger(other->id).complete_after, conflict::kNoLedger);

  run(100);
  EXPECT_GE(summary().complete_after, unlisted.hlc);
  auto listed_now = conflict("c");
  EXPECT_LT(summary().complete_after, listed_now.hlc);
  EXPECT_EQ(listed().size(), 1U);
}

TEST_F(LedgerTest, ADroppedTableTakesItsLedgerAlong) {
  put(table_, "a", "mine");
  clock_.advance_ms(10);
  take(remote("theirs", now_ms()));
  auto other = create_global("U");
  expect_ok([&](ControlDone done) { store_->drop_table(table_->id, true, std::move(done)); });
  for (int i = 0; i < 10; ++i) {
    clock_.advance_ms(2000);
    store_->run_pending();
  }
  EXPECT_EQ(store_->health().ledger_entries, 0U);
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(store_->open_reader()->ledger(other->id).entries, 0U);
  check();
}

TEST_F(LedgerTest, ANewTableKnowsOnlyWhatIsWrittenFromNowOn) {
  auto earlier = put(table_, "a", "mine");
  auto other = create_global("U");
  EXPECT_GT(store_->open_reader()->ledger(other->id).complete_after, earlier.version.hlc);
  EXPECT_LT(store_->open_reader()->ledger(other->id).complete_after,
            put(other, "a", "1").version.hlc);
}

// A group that a full disk undoes has listed nothing and withdrawn nothing.
TEST_F(LedgerTest, AGroupThatIsRolledBackLeavesTheLedgerAsItWas) {
  put(table_, "a", "mine");
  auto mine = lineage();
  clock_.advance_ms(100);
  take(remote("theirs", now_ms()));
  close();
  {
    sqlite::Database db(file(), {});
    options_.pages_max = *db.query_int64("PRAGMA page_count");
  }
  open();
  auto child = remote("child" + std::string(300'000, 'x'), now_ms() - 50, mine);
  EXPECT_EQ(take(child), rpc::ApplyStatus::unavailable);
  ASSERT_EQ(listed().size(), 1U);
  close();
  options_.pages_max = 0;
  open();
  EXPECT_EQ(take(child), rpc::ApplyStatus::applied);
  auto entries = listed();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].loser.lineage.version, child.version);
}

TEST_F(LedgerTest, AWriteCanAskForTheVersionThatItReplaces) {
  auto write = [&](std::optional<conflict::Version> if_version) {
    std::optional<WriteResult> answer;
    store_->write({table_->id, key_of("a"), std::make_shared<PutImage>(image_of("a", "new")),
                   [&answer](const WriteResult& result) { answer = result; }, if_version});
    store_->run_pending();
    return answer.value_or(WriteResult{});
  };
  auto first = write(conflict::Version{});
  EXPECT_EQ(first.status, WriteStatus::committed);
  auto refused = write(conflict::Version{});
  EXPECT_EQ(refused.status, WriteStatus::version_changed);
  EXPECT_EQ(refused.version, first.version);
  auto second = write(first.version);
  EXPECT_EQ(second.status, WriteStatus::committed);
  EXPECT_EQ(write(first.version).status, WriteStatus::version_changed);
  auto removed = remove(table_, "a");  // a tombstone has a version too
  EXPECT_EQ(write(conflict::Version{}).status, WriteStatus::version_changed);
  EXPECT_EQ(write(removed.version).status, WriteStatus::committed);
}

TEST_F(LedgerTest, TheHistoryOfAKeyIsReadBackwards) {
  put(table_, "a", "1");
  put(table_, "b", "other");
  auto second = remove(table_, "a");
  clock_.advance_ms(10);
  auto record = remote("3", now_ms(), lineage());
  take(record);
  auto reader = store_->open_reader();
  auto history = reader->key_history(table_->id, key_of("a"), 10);
  ASSERT_EQ(history.records.size(), 3U);
  EXPECT_TRUE(history.complete);
  EXPECT_EQ(history.records[0].record.version, record.version);
  EXPECT_EQ(history.records[0].record.parent, second.version);
  EXPECT_EQ(history.records[0].record.new_image, image_of("a", "3"));
  EXPECT_FALSE(history.records[0].local);
  EXPECT_EQ(history.records[1].record.version, second.version);
  EXPECT_EQ(history.records[1].record.new_image, std::nullopt);
  EXPECT_TRUE(history.records[1].local);
  EXPECT_EQ(history.records[2].record.new_image, image_of("a", "1"));
  EXPECT_EQ(history.records[2].record.parent, std::nullopt);

  history = reader->key_history(table_->id, key_of("a"), 2);
  EXPECT_EQ(history.records.size(), 2U);
  EXPECT_FALSE(history.complete);
  EXPECT_TRUE(reader->key_history(table_->id, key_of("none"), 2).records.empty());
  EXPECT_TRUE(reader->key_history(table_->id, key_of("none"), 2).complete);
}

}  // namespace
}  // namespace meridian::store
