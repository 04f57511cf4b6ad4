// Streams: stretches of log shards, with lineage.
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

class StreamTest : public StoreTest {
 protected:
  ControlResult change(const TablePtr& table, const TableChange& change) {
    return control([&](ControlDone done) { store_->change_table(table->id, change, done); });
  }
  ControlResult enable(const TablePtr& table) {
    TableChange change_;
    change_.enable_stream = model::StreamViewType::KEYS_ONLY;
    return change(table, change_);
  }
  ControlResult disable(const TablePtr& table) {
    TableChange change_;
    change_.disable_stream = true;
    return change(table, change_);
  }
};

TEST_F(StreamTest, EnabledWithTheTableItCoversTheLogFromItsStart) {
  auto table = create_single();
  ASSERT_NE(table->enabled_stream(), nullptr);
  const StreamInfo& stream = *table->enabled_stream();
  EXPECT_EQ(stream.label, "2027-01-15T08:00:00.000");
  ASSERT_EQ(stream.shards.size(), 1U);
  EXPECT_EQ(stream.shards[0].first, Sequence(1));
  EXPECT_FALSE(stream.shards[0].last.has_value());
}

TEST_F(StreamTest, DisablingClosesAndEnablingAgainMakesANewLabel) {
  auto table = create_single();
  put(table, "a", "1");
  EXPECT_EQ(enable(table).error(), ControlError::stream_enabled);
  auto off = disable(table);
  ASSERT_TRUE(off.ok());
  EXPECT_EQ((*off)->enabled_stream(), nullptr);
  EXPECT_EQ((*off)->streams[0].shards[0].last, Sequence(1));
  EXPECT_EQ(disable(table).error(), ControlError::stream_disabled);
  put(table, "a", "2");
  auto on = enable(table);  // in the same millisecond
  ASSERT_TRUE(on.ok());
  ASSERT_EQ((*on)->streams.size(), 2U);
  EXPECT_NE((*on)->streams[0].label, (*on)->streams[1].label);
  EXPECT_EQ((*on)->streams[1].shards[0].first, Sequence(3));
  reopen();
  auto loaded = store_->catalog()->find(table->id);
  ASSERT_EQ(loaded->streams.size(), 2U);
  EXPECT_EQ(loaded->streams[0].label, (*on)->streams[0].label);
  EXPECT_EQ(loaded->streams[1].view, model::StreamViewType::KEYS_ONLY);
  EXPECT_EQ(loaded->enabled_stream()->shards[0].first, Sequence(3));

  clock_.advance_ms(options_.retention_ms + 1);
  store_->run_pending();
  EXPECT_EQ(store_->catalog()->find(table->id)->streams.size(), 1U);
}

TEST_F(StreamTest, RollsOverIntoAChildThatGoesOn) {
  auto table = create_single();
  put(table, "a", "1");
  clock_.advance_ms(options_.stream_rollover_ms + 1);
  store_->run_pending();
  auto now = store_->catalog()->find(table->id);
  ASSERT_EQ(now->streams[0].shards.size(), 2U);
  EXPECT_EQ(now->streams[0].shards[0].last, Sequence(1));
  EXPECT_EQ(now->streams[0].shards[1].generation, 1U);
  EXPECT_EQ(now->streams[0].shards[1].first, Sequence(2));
  // Nothing was written since: no grandchild.
  clock_.advance_ms(options_.stream_rollover_ms + 1);
  store_->run_pending();
  EXPECT_EQ(store_->catalog()->find(table->id)->streams[0].shards.size(), 2U);
  // A closed shard is forgotten after the retention.
  clock_.advance_ms(options_.retention_ms + 1);
  store_->run_pending();
  now = store_->catalog()->find(table->id);
  ASSERT_EQ(now->streams[0].shards.size(), 1U);
  EXPECT_EQ(now->streams[0].shards[0].generation, 1U);
}

TEST_F(StreamTest, ReadsARangeInPages) {
  auto table = create_single();
  for (int i = 0; i < 10; ++i) put(table, "k" + std::to_string(i), "1");
  auto reader = store_->open_reader();
  auto page = reader->read_stream(table->id, ShardId(0), Sequence(3), Sequence(8), {4, 1 << 20});
  ASSERT_EQ(page.records.size(), 4U);
  EXPECT_EQ(page.records[0].sequence, Sequence(3));
  EXPECT_EQ(page.next, Sequence(7));
  page = reader->read_stream(table->id, ShardId(0), page.next, Sequence(8), {4, 1 << 20});
  ASSERT_EQ(page.records.size(), 2U);
  EXPECT_EQ(page.next, Sequence(9));
  page = reader->read_stream(table->id, ShardId(0), Sequence(11), std::nullopt, {});
  EXPECT_TRUE(page.records.empty());
  EXPECT_EQ(page.next, Sequence(11));
  EXPECT_FALSE(page.trimmed);
}

TEST_F(StreamTest, EachShardHasItsOwnKeysAndAllKeysHaveOne) {
  TableSpec spec;
  spec.name = "M";
  spec.keys = schema();
  spec.stream = model::StreamViewType::NEW_IMAGE;
  auto table = create(std::move(spec));
  ASSERT_EQ(table->shards, kShardsDefault);
  ASSERT_EQ(table->enabled_stream()->shards.size(), kShardsDefault);
  for (int i = 0; i < 100; ++i) put(table, "k" + std::to_string(i % 50), std::to_string(i));
  std::size_t records = 0;
  std::map<Bytes, std::uint16_t> homes;
  for (std::uint16_t s = 0; s < table->shards; ++s) {
    auto of_shard = stream(table, ShardId(s));
    EXPECT_GT(of_shard.size(), 0U);
    records += of_shard.size();
    for (const auto& record : of_shard) {
      auto home = homes.emplace(record.key, s).first->second;
      EXPECT_EQ(home, s);
    }
  }
  EXPECT_EQ(records, 100U);
  EXPECT_EQ(homes.size(), 50U);
}

}  // namespace
}  // namespace meridian::store
