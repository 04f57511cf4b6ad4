// The thread that saves checkpoints: folds, retries, saves the last word at the stop.
#include "replicator/io/checkpoint_writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "checkpoint/memory_store.h"
#include "tests/component/checkpoint/temp_dir.h"

namespace meridian::replicator {
namespace {

using checkpoint::at;
using checkpoint::Checkpoint;
using checkpoint::CheckpointKey;

// Fails while told to; counts transactions.
class FlakyStore final : public checkpoint::CheckpointStore {
 public:
  std::vector<Checkpoint> load_all() override { return inner_.load_all(); }
  std::optional<Checkpoint> load(const CheckpointKey& key) override { return inner_.load(key); }
  std::vector<Checkpoint> save_batch(const std::vector<Checkpoint>& checkpoints) override {
    if (failing) throw std::runtime_error("disk full");
    ++saves;
    return inner_.save_batch(checkpoints);
  }
  void forget(const std::vector<CheckpointKey>& keys) override { inner_.forget(keys); }

  std::atomic<bool> failing{false};
  std::atomic<int> saves{0};

 private:
  checkpoint::MemoryCheckpointStore inner_;
};

class CountingSink final : public LogSink {
 public:
  void write(LogLevel, std::string_view) override { ++lines; }
  std::atomic<int> lines{0};
};

class CheckpointWriterTest : public ::testing::Test {
 protected:
  void save(std::uint16_t shard, std::uint64_t sequence) {
    auto checkpoint = at(shard, 1, sequence);
    writer_.save(checkpoint.key, checkpoint.position, 0);
  }
  FlakyStore store_;
  SystemClock clock_;
  std::shared_ptr<CountingSink> sink_ = std::make_shared<CountingSink>();
  CheckpointWriter writer_{store_, clock_, Logger(sink_)};
};

TEST_F(CheckpointWriterTest, FoldsManySavesAndKeepsTheLast) {
  writer_.start();
  for (std::uint64_t sequence = 1; sequence <= 10'000; ++sequence) save(0, sequence);
  writer_.stop();
  EXPECT_EQ(store_.load(at(0, 1, 1).key)->position, at(0, 1, 10'000).position);
  EXPECT_LT(store_.saves, 100);
}

TEST_F(CheckpointWriterTest, AFailedSaveIsTriedAgainAndLoggedOnce) {
  store_.failing = true;
  writer_.start();
  save(0, 5);
  save(1, 6);
  while (writer_.failures() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  save(0, 7);
  store_.failing = false;
  writer_.stop();
  EXPECT_EQ(store_.load(at(0, 1, 1).key)->position, at(0, 1, 7).position);
  EXPECT_EQ(store_.load(at(1, 1, 1).key)->position, at(1, 1, 6).position);
  EXPECT_EQ(sink_->lines, 1);
}

TEST_F(CheckpointWriterTest, TheFirstFailureAfterASaveIsLoggedAgain) {
  auto fail_then_save = [this](std::uint64_t sequence) {
    auto before = writer_.failures();
    auto saves = store_.saves.load();
    store_.failing = true;
    save(0, sequence);
    while (writer_.failures() < before + 2)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    store_.failing = false;
    while (store_.saves == saves) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  };
  writer_.start();
  fail_then_save(5);
  fail_then_save(6);
  writer_.stop();
  EXPECT_EQ(sink_->lines, 2);
}

TEST_F(CheckpointWriterTest, ForgetsAfterSaving) {
  writer_.start();
  save(0, 5);
  writer_.forget(at(0, 1, 1).key);
  writer_.stop();
  EXPECT_FALSE(store_.load(at(0, 1, 1).key));
}

}  // namespace
}  // namespace meridian::replicator
