// Records in quarantine: what an operator does with them, and what settles them without one.
#include "common/sqlite/sqlite.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class QuarantineTest : public StoreTest {
 protected:
  static LogPosition at(std::uint64_t sequence) { return {StartId(900), Sequence(sequence)}; }

  std::vector<ParkedRecord> parked(const TablePtr& table) {
    return store_->open_reader()->parked(table->id, 100, 0);
  }

  // Applies a record that is no item here; answers it.
  rpc::ChangeRecord poison(const TablePtr& table, std::uint64_t sequence, const std::string& pk) {
    auto record = remote_put(sequence, pk, "poison", now_ms());
    record.new_image = "of a newer release";
    auto from = sequence == 1 ? LogPosition{} : at(sequence - 1);
    EXPECT_EQ(apply(table, from, at(sequence), {record}).status, rpc::ApplyStatus::applied);
    return record;
  }

  ParkedOutcome decide(const TablePtr& table, const rpc::ChangeRecord& record,
                       ParkedAction action) {
    std::optional<ParkedOutcome> told;
    store_->decide_parked({table->id, record.key, record.version, action},
                          [&told](const ParkedOutcome& outcome) { told = outcome; });
    store_->run_pending();
    EXPECT_TRUE(told.has_value());
    return told.value_or(ParkedOutcome{});
  }

  // As though this were the release that knows the encoding: what is parked can be read now.
  void make_readable(const rpc::ChangeRecord& record, const Bytes& image) {
    close();
    sqlite::OpenOptions writing;
    writing.mode = sqlite::OpenMode::read_write;
    {
      sqlite::Database db(file(), writing);
      sqlite::Statement update(db, "UPDATE parked SET image = ?1 WHERE key = ?2");
      update.execute(image, record.key);
    }
    open();
  }
};

TEST_F(QuarantineTest, RetryKeepsWhatStillCannotBeApplied) {
  auto table = create_global();
  auto record = poison(table, 1, "a");
  auto outcome = decide(table, record, ParkedAction::retry);
  EXPECT_EQ(outcome.status, ParkedStatus::still_parked);
  EXPECT_FALSE(outcome.reason.empty());
  ASSERT_EQ(parked(table).size(), 1U);
  EXPECT_EQ(parked(table)[0].record, record);
  EXPECT_EQ(store_->health().records_parked, 1U) << "counted when it arrived, not at each retry";
  reopen();
  EXPECT_EQ(parked(table).size(), 1U);
}

TEST_F(QuarantineTest, RetryAppliesByTheRuleOfAllRecords) {
  auto table = create_global();
  auto local = put(table, "a", "older");
  clock_.advance_ms(5);
  auto record = poison(table, 1, "a");
  make_readable(record, image_of("a", "now readable"));
  EXPECT_EQ(decide(table, record, ParkedAction::retry).status, ParkedStatus::applied);
  EXPECT_EQ(get(table, "a"), image_of("a", "now readable"));
  auto row = store_->open_reader()->get_row(table->id, key_of("a"));
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->version, record.version);
  EXPECT_TRUE(parked(table).empty());
  // One record in the stream, which knows what was there before.
  auto records = stream(table);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].old_image, image_of("a", "older"));
  EXPECT_TRUE(local.version < record.version);
  EXPECT_EQ(decide(table, record, ParkedAction::retry).status, ParkedStatus::no_such_record);
  check();
}

TEST_F(QuarantineTest, RetryOfWhatIsBeatenOnlySettlesIt) {
  auto table = create_global();
  auto record = poison(table, 1, "a");
  make_readable(record, image_of("a", "old"));
  // A newer version that came while this store did not know of it any more than of the parked one:
  // written by hand, because applying it would have retired the record.
  clock_.advance_ms(5);
  put(table, "a", "newer");
  EXPECT_TRUE(parked(table).empty()) << "retired by the newer version";
  EXPECT_EQ(decide(table, record, ParkedAction::retry).status, ParkedStatus::no_such_record);
  EXPECT_EQ(get(table, "a"), image_of("a", "newer"));
}

TEST_F(QuarantineTest, DiscardGivesUpThatVersionAlone) {
  auto table = create_global();
  auto first = poison(table, 1, "a");
  auto second = poison(table, 2, "b");
  EXPECT_EQ(decide(table, first, ParkedAction::discard).status, ParkedStatus::discarded);
  ASSERT_EQ(parked(table).size(), 1U);
  EXPECT_EQ(parked(table)[0].record, second);
  EXPECT_EQ(decide(table, first, ParkedAction::discard).status, ParkedStatus::no_such_record);
  auto other = second;
  other.version.hlc = other.version.hlc.next();
  EXPECT_EQ(decide(table, other, ParkedAction::discard).status, ParkedStatus::no_such_record);
  EXPECT_FALSE(get(table, "a").has_value());
  check();
}

TEST_F(QuarantineTest, OnlyItsKeyWaits) {
  auto table = create_global();
  poison(table, 1, "a");
  auto good = remote_put(2, "b", "1", now_ms());
  EXPECT_EQ(apply(table, at(1), at(2), {good}).status, rpc::ApplyStatus::applied);
  EXPECT_EQ(get(table, "b"), image_of("b", "1"));
  put(table, "c", "local");
  EXPECT_EQ(get(table, "c"), image_of("c", "local"));
  EXPECT_EQ(parked(table).size(), 1U);
}

TEST_F(QuarantineTest, StatsAndPages) {
  auto table = create_global();
  EXPECT_EQ(store_->open_reader()->parked_stats(table->id).records, 0U);
  EXPECT_FALSE(store_->open_reader()->parked_stats(table->id).oldest_us.has_value());
  auto first = poison(table, 1, "a");
  clock_.advance_ms(10);
  poison(table, 2, "b");
  poison(table, 3, "c");
  auto stats = store_->open_reader()->parked_stats(table->id);
  EXPECT_EQ(stats.records, 3U);
  EXPECT_EQ(stats.oldest_us, first.committed_us);
  auto page = store_->open_reader()->parked(table->id, 2, 0);
  ASSERT_EQ(page.size(), 2U);
  auto rest = store_->open_reader()->parked(table->id, 2, page.back().row);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].record.key, key_of("c"));
}

TEST_F(QuarantineTest, TablesThatAreGone) {
  auto table = create_global();
  auto record = poison(table, 1, "a");
  auto nowhere = std::make_shared<TableInfo>();
  EXPECT_EQ(decide(nowhere, record, ParkedAction::retry).status, ParkedStatus::no_such_table);
}

}  // namespace
}  // namespace meridian::store
