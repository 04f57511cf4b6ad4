// SqliteStore: the writer thread, its groups, its queues, and readers beside it.
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "region-node/store/sqlite_store.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

// Counts answers and waits for them.
class Tally {
 public:
  void add(WriteStatus status) {
    std::lock_guard lock(mutex_);
    ++counts_[status];
    ++all_;
    changed_.notify_all();
  }
  void wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return all_ >= count; });
  }
  std::size_t of(WriteStatus status) {
    std::lock_guard lock(mutex_);
    return counts_[status];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<WriteStatus, std::size_t> counts_;
  std::size_t all_ = 0;
};

// Holds the writer until it is let go.
class Gate final : public ItemMutation {
 public:
  Verdict evaluate(std::optional<BytesView>) override {
    std::unique_lock lock(mutex_);
    entered_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    return {Verdict::Kind::reject, {}};
  }
  void wait_entered() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return entered_; });
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool entered_ = false;
  bool open_ = false;
};

class GroupTest : public ::testing::Test {
 protected:
  GroupTest() {
    options_.data_dir = dir_.path() + "/data";
    options_.region = kHere;
    options_.cache_bytes = 16 << 20;
  }
  ~GroupTest() override {
    store_.reset();
    for (const auto& problem : check_store_invariants(options_.data_dir + "/store.db"))
      ADD_FAILURE() << problem;
  }
  void open() {
    store_ = std::make_unique<SqliteStore>(options_, clock_, Rng(1));
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    TableSpec spec;
    spec.name = "T";
    spec.keys = schema();
    for (const auto& region : {kHere, kThere}) spec.replicas[region] = ReplicaEntry{true, {}};
    store_->create_table(spec, [&](ControlResult result) {
      std::lock_guard lock(mutex);
      table_ = *result;
      done = true;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
  }
  void put(const std::string& pk, const std::string& value, Tally& tally) {
    store_->write({table_->id, key_of(pk), std::make_shared<PutImage>(image_of(pk, value)),
                   [&tally](const WriteResult& result) { tally.add(result.status); }});
  }
  // The writer is in a write of its own until the gate is opened.
  std::shared_ptr<Gate> hold_writer() {
    auto gate = std::make_shared<Gate>();
    store_->write({table_->id, key_of("gate"), gate, {}});
    gate->wait_entered();
    return gate;
  }
  // Opens a store whose writer is held and whose queue has room for 10, and gives it 30 writes more: all
  // but 9 of them are answered at once, by the caller.
  std::shared_ptr<Gate> fill_queue(Tally& tally) {
    options_.queue_writes_max = 10;
    open();
    auto gate = hold_writer();
    for (int i = 0; i < 30; ++i) put("k" + std::to_string(i), "1", tally);
    tally.wait(21);
    return gate;
  }

  TempDir dir_;
  SystemClock clock_;
  StoreOptions options_;
  std::unique_ptr<SqliteStore> store_;
  TablePtr table_;
};

TEST_F(GroupTest, ManyWritersShareCommits) {
  open();
  Tally tally;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i)
        put("k" + std::to_string(t) + "-" + std::to_string(i % 300), std::to_string(i), tally);
    });
  }
  for (auto& thread : threads) thread.join();
  tally.wait(4000);
  EXPECT_EQ(tally.of(WriteStatus::committed), 4000U);
  EXPECT_LT(store_->health().commits, 2000U);
  auto reader = store_->open_reader();
  for (int t = 0; t < 4; ++t) {
    auto pk = "k" + std::to_string(t) + "-99";
    EXPECT_EQ(reader->get(table_->id, key_of(pk)), image_of(pk, "999"));
  }
  EXPECT_EQ(reader->stats(table_->id).items, 1200U);
}

TEST_F(GroupTest, ReadersSeeOnlyWholeCommits) {
  open();
  std::atomic<bool> stop{false};
  std::atomic<int> pages{0};
  std::thread tail([&] {
    auto reader = store_->open_reader();
    std::map<std::uint16_t, LogPosition> at;
    while (!stop) {
      for (std::uint16_t s = 0; s < table_->shards; ++s) {
        auto page = reader->read_log(table_->id, ShardId(s), at[s], {50, 1 << 20});
        ASSERT_EQ(page.status, rpc::ReadStatus::ok);
        for (const auto& record : page.records) {
          ASSERT_GT(record.sequence, at[s].sequence);
          ASSERT_TRUE(record.new_image.has_value());
        }
        at[s] = page.to;
        ++pages;
      }
      std::size_t items = 0;
      reader->scan(table_->id, {}, Direction::ascending, [&](BytesView, BytesView image) {
        items += image.empty() ? 0 : 1;
        return items < 100;
      });
    }
  });
  Tally tally;
  for (int i = 0; i < 3000; ++i) put("k" + std::to_string(i % 100), std::to_string(i), tally);
  tally.wait(3000);
  stop = true;
  tail.join();
  EXPECT_GT(pages.load(), 0);
}

TEST_F(GroupTest, AFullQueueAnswersOverloaded) {
  Tally tally;
  auto gate = fill_queue(tally);
  EXPECT_EQ(tally.of(WriteStatus::overloaded), 21U);
  EXPECT_EQ(store_->health().queue_depth, 10U);
  gate->open();
  tally.wait(30);
  EXPECT_EQ(tally.of(WriteStatus::committed), 9U);
  EXPECT_EQ(store_->health().queue_refused, 21U);
}

// Few large ones fill it as well as many small ones.
TEST_F(GroupTest, AQueueIsBoundedByTheImagesThatItHolds) {
  options_.queue_write_bytes_max = 1 << 20;
  open();
  auto gate = hold_writer();
  Tally tally;
  for (int i = 0; i < 30; ++i) put("k" + std::to_string(i), std::string(100'000, 'x'), tally);
  tally.wait(19);  // eleven of them are over a megabyte
  gate->open();
  tally.wait(30);
  EXPECT_EQ(tally.of(WriteStatus::overloaded), 19U);
  EXPECT_EQ(tally.of(WriteStatus::committed), 11U);
  // Their room is free again.
  put("again", std::string(100'000, 'x'), tally);
  tally.wait(31);
  EXPECT_EQ(tally.of(WriteStatus::committed), 12U);
}

TEST_F(GroupTest, AGroupIsBoundedByTheImagesThatItWrites) {
  options_.group_bytes_max = 1 << 20;
  open();
  auto gate = hold_writer();
  const auto before = store_->health().commits;
  Tally tally;
  for (int i = 0; i < 30; ++i) put("k" + std::to_string(i), std::string(100'000, 'x'), tally);
  gate->open();
  tally.wait(30);
  EXPECT_GE(store_->health().commits - before, 3U);
}

// Else a busy region would take its peers for strangers.
TEST_F(GroupTest, AFullQueueSaysNothingAgainstAPeer) {
  Tally tally;
  auto gate = fill_queue(tally);
  std::promise<std::optional<bool>> pinned;
  store_->pin_identity(kThere, NodeId(77), [&](auto answer) { pinned.set_value(answer); });
  gate->open();
  EXPECT_EQ(pinned.get_future().get(), true);

  store_->stop();
  std::optional<bool> stopped = true;
  store_->pin_identity(kThere, NodeId(77), [&](auto answer) { stopped = answer; });
  EXPECT_EQ(stopped, std::nullopt);
}

TEST_F(GroupTest, ClientsAreNotStarvedByReplication) {
  options_.group_ops_max = 64;
  open();
  auto gate = hold_writer();
  // A long row of batches first, one client's write behind them.
  std::mutex mutex;
  std::vector<std::string> order;
  auto start = StartId(9);
  for (std::uint64_t i = 0; i < 50; ++i) {
    rpc::ReplicationBatch batch{{table_->id, ShardId(0), kThere},
                                i == 0 ? LogPosition{} : LogPosition{start, Sequence(i * 32)},
                                {start, Sequence(i * 32 + 32)},
                                {}};
    for (std::uint64_t r = 1; r <= 32; ++r)
      batch.records.push_back(
          remote_put(i * 32 + r, "r" + std::to_string(r), "1", clock_.wall_ms() - 1000));
    store_->apply(batch, kThereNode, [&](const rpc::ApplyOutcome& outcome) {
      EXPECT_EQ(outcome.status, rpc::ApplyStatus::applied);
      std::lock_guard lock(mutex);
      order.emplace_back("batch");
    });
  }
  Tally tally;
  store_->write({table_->id, key_of("client"), std::make_shared<PutImage>(image_of("client", "1")),
                 [&](const WriteResult& result) {
                   {
                     std::lock_guard lock(mutex);
                     order.emplace_back("client");
                   }
                   tally.add(result.status);
                 }});
  gate->open();
  tally.wait(1);
  store_.reset();  // finishes what is queued
  ASSERT_EQ(order.size(), 51U);
  auto at = std::find(order.begin(), order.end(), "client") - order.begin();
  EXPECT_LT(at, 5);
}

TEST_F(GroupTest, TheListenerHearsOfEveryCommit) {
  open();
  std::atomic<int> heard{0};
  store_->on_commit([&] { ++heard; });
  Tally tally;
  put("a", "1", tally);
  tally.wait(1);
  while (heard.load() == 0) std::this_thread::yield();
  store_->on_commit({});
  int before = heard.load();
  put("a", "2", tally);
  tally.wait(2);
  EXPECT_EQ(heard.load(), before);
}

TEST_F(GroupTest, TheWalIsCopiedAndStartsAnew) {
  options_.wal_checkpoint_pages = 50;
  open();
  Tally tally;
  for (int i = 0; i < 800; ++i) {
    put("k" + std::to_string(i), std::string(2000, 'x'), tally);
    tally.wait(static_cast<std::size_t>(i) + 1);
  }
  // A page or more each; see WalCopyRule for how long it may become.
  EXPECT_LT(store_->health().wal_bytes, 32U * 50 * 8216);
}

}  // namespace
}  // namespace meridian::store
