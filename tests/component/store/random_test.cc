// Random histories against a plain map: local and replicated writes, acknowledgements, restarts, time.
// A failure prints its seed.
#include <algorithm>

#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

constexpr std::uint64_t kSeeds = 40;
constexpr int kSteps = 250;

class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed) : rng_(seed), disk_("random-" + std::to_string(seed)) {
    options_.region = kHere;
    options_.memory_name = disk_.name();
    options_.trim_records_max = 20;
    open();
    TableSpec spec;
    spec.name = "T";
    spec.keys = schema();
    spec.shards = 2;
    spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
    for (const auto& region : {kHere, kThere}) spec.replicas[region] = ReplicaEntry{true, {}};
    store_->create_table(spec, [this](ControlResult result) { id_ = (*result)->id; });
    store_->run_pending();
  }

  void run() {
    for (int step = 0; step < kSteps; ++step) {
      switch (rng_.below(10)) {
        case 0: restart(); break;
        case 1: clock_.advance_ms(rng_.between(1, 200)); break;
        case 2: acknowledge(); break;
        case 3: clock_.advance_ms(rng_.percent(20) ? options_.retention_ms + 1 : 5); break;
        case 4:
        case 5: replicate(); break;
        default: write_some(); break;
      }
      store_->run_pending();
    }
    compare_items();
    compare_stream();
    for (const auto& problem : check_store_invariants("/" + disk_.name(), "memdb"))
      ADD_FAILURE() << problem;
  }

 private:
  struct Known {
    conflict::Version version;
    std::optional<Bytes> image;
  };

  void open() {
    store_ = std::make_unique<InlineStore>(options_, clock_, Rng(rng_.next()));
    reader_ = store_->open_reader();
  }
  void restart() {
    reader_.reset();
    store_.reset();
    clock_.advance_ms(150);  // else the stored ceilings would run ahead of the clock
    open();
  }
  std::string key() { return "k" + std::to_string(rng_.below(12)); }

  void write_some() {
    for (auto left = rng_.between(1, 8); left > 0; --left) {
      auto pk = key();
      auto image = image_of(pk, std::to_string(rng_.below(4)));  // few values: some change nothing
      std::shared_ptr<ItemMutation> mutation;
      bool removes = rng_.percent(25);
      if (removes) {
        mutation = std::make_shared<RemoveItem>();
      } else {
        mutation = std::make_shared<PutImage>(image);
      }
      store_->write(
          {id_, key_of(pk), mutation, [this, pk, image, removes](const WriteResult& result) {
             ASSERT_EQ(result.status, WriteStatus::committed);
             learn(pk, result.version, removes ? std::nullopt : std::optional(image));
           }});
    }
  }

  // Batches of the other region, some of them of the past; now and then one is sent twice.
  void replicate() {
    for (auto left = rng_.between(1, 3); left > 0; --left) {
      rpc::ReplicationBatch batch{{id_, ShardId(0), kThere}, position_, position_, {}};
      for (auto records = rng_.below(6); records > 0; --records) {
        auto at_ms = clock_.wall_ms() - rng_.between(0, 300);
        auto pk = key();
        ++sequence_;
        auto record = rng_.percent(25) ? remote_remove(sequence_, pk, at_ms)
                                       : remote_put(sequence_, pk, std::to_string(at_ms), at_ms);
        record.version.hlc.value += sequence_ % 60'000;  // no two alike
        batch.records.push_back(std::move(record));
      }
      batch.to = position_ = {StartId(5), Sequence(++sequence_)};
      for (const auto& record : batch.records) arrived_.push_back(record);
      bool again = rng_.percent(20);
      auto copy = batch;
      store_->apply(std::move(batch), kThereNode, [this](const rpc::ApplyOutcome& outcome) {
        ASSERT_EQ(outcome.status, rpc::ApplyStatus::applied);
      });
      if (again)
        store_->apply(std::move(copy), kThereNode, [](const rpc::ApplyOutcome& outcome) {
          ASSERT_EQ(outcome.status, rpc::ApplyStatus::wrong_position);
        });
    }
    store_->run_pending();
    for (const auto& record : arrived_) {
      auto known = known_.find(record.key);
      if (known == known_.end() || record.version > known->second.version)
        known_[record.key] = {record.version, record.new_image};
    }
    arrived_.clear();
  }

  void learn(const std::string& pk, const conflict::Version& version, std::optional<Bytes> image) {
    auto known = known_.find(key_of(pk));
    ASSERT_TRUE(known == known_.end() || version > known->second.version);
    known_[key_of(pk)] = {version, std::move(image)};
  }

  void acknowledge() {
    for (std::uint16_t s = 0; s < 2; ++s) {
      LogPosition& at = acknowledged_[s];
      auto page = reader_->read_log(id_, ShardId(s), at, {rng_.below(20) + 1, 1 << 20});
      ASSERT_EQ(page.status, rpc::ReadStatus::ok);
      for (const auto& record : page.records) ASSERT_EQ(record.version.region, kHere);
      at = page.to;
      store_->acknowledge({{id_, ShardId(s), kThere, at}});
      store_->run_pending();
      auto backlog = reader_->backlog(id_, ShardId(s), kThere);
      EXPECT_EQ(backlog.pending_records, page.pending);
      EXPECT_EQ(backlog.pending_records > 0, backlog.oldest_us.has_value());
    }
  }

  void compare_items() {
    auto rows = reader_->scan_rows(id_, "", 100);
    ASSERT_EQ(rows.size(), known_.size());
    for (const auto& row : rows) {
      EXPECT_EQ(row.version, known_[row.key].version);
      EXPECT_EQ(row.image, known_[row.key].image);
    }
  }

  // Of each key, every record's old image is what the record before it made.
  void compare_stream() {
    for (std::uint16_t s = 0; s < 2; ++s) {
      auto span = reader_->shard_span(id_, ShardId(s));
      auto page =
          reader_->read_stream(id_, ShardId(s), span.oldest, std::nullopt, {100'000, 1 << 30});
      std::map<Bytes, std::optional<Bytes>> before;
      for (const auto& record : page.records) {
        auto known = before.find(record.key);
        if (known != before.end()) {
          EXPECT_EQ(record.old_image, known->second);
        }
        EXPECT_NE(record.old_image, record.new_image);
        before[record.key] = record.new_image;
      }
      for (const auto& [key, image] : before) EXPECT_EQ(image, known_[key].image);
    }
  }

  Rng rng_;
  MemoryFile disk_;
  ManualClock clock_;
  StoreOptions options_;
  std::unique_ptr<InlineStore> store_;
  std::unique_ptr<Reader> reader_;
  TableId id_;
  std::map<Bytes, Known> known_;
  std::vector<rpc::ChangeRecord> arrived_;
  LogPosition position_;
  std::uint64_t sequence_ = 0;
  std::map<std::uint16_t, LogPosition> acknowledged_;
};

TEST(RandomTest, AnyHistoryLeavesWhatAMapWould) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRun(seed).run();
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace meridian::store
