// Checkpoints and leases under real processes: killed while writing, and several at once.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <vector>

#include "checkpoint/lease_worker.h"
#include "checkpoint/sqlite_store.h"
#include "common/clock.h"
#include "common/rng.h"
#include "tests/component/checkpoint/temp_dir.h"

namespace meridian::checkpoint {
namespace {

// Saves ever higher checkpoints of two shards at a time and reports each batch that was saved.
[[noreturn]] void write_for_ever(const std::string& folder, std::uint64_t from, int report) {
  SqliteCheckpointStore store(folder);
  for (std::uint64_t sequence = from;; ++sequence) {
    store.save_batch({at(0, 1, sequence), at(1, 1, sequence)});
    if (write(report, &sequence, sizeof sequence) != sizeof sequence) _exit(1);
  }
}

TEST(CheckpointProcesses, KillNineLosesNothingThatWasSaved) {
  TempDir dir;
  Rng rng(11);
  std::uint64_t reported = 0;
  for (int round = 0; round < 15; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      write_for_ever(dir.path(), reported + 1, ends[1]);
    }
    close(ends[1]);
    // At least one save, then death at a random moment.
    auto saves = 1 + rng.below(30);
    for (std::uint64_t i = 0; i < saves; ++i)
      ASSERT_EQ(read(ends[0], &reported, sizeof reported), static_cast<ssize_t>(sizeof reported));
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    std::uint64_t late;
    while (read(ends[0], &late, sizeof late) == sizeof late) reported = late;
    close(ends[0]);

    SqliteCheckpointStore store(dir.path());
    auto all = store.load_all();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_GE(all[0].position.sequence.value, reported);
    EXPECT_EQ(all[0].position, all[1].position) << "a batch is saved whole or not at all";
    reported = all[0].position.sequence.value;
  }
}

TEST(CheckpointProcesses, SeveralWorkersShareOneDatabase) {
  TempDir dir;
  constexpr std::uint16_t kWorkers = 4;
  constexpr std::uint64_t kSaves = 60;
  std::vector<pid_t> children;
  for (std::uint16_t worker = 0; worker < kWorkers; ++worker) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // All make the database at the same moment, then write their own shard and a common one.
      SqliteCheckpointStore store(dir.path());
      for (std::uint64_t sequence = 1; sequence <= kSaves; ++sequence)
        store.save_batch({at(worker, 1, sequence), at(100, 1, sequence)});
      _exit(0);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  SqliteCheckpointStore store(dir.path());
  auto all = store.load_all();
  ASSERT_EQ(all.size(), kWorkers + 1u);
  for (const auto& checkpoint : all) EXPECT_EQ(checkpoint.position.sequence, Sequence(kSaves));
}

// ------------------------------------------------------------------------------------------- leases

constexpr std::uint16_t kShards = 12;
// Long beside a round, so that a busy machine does not make anybody seem dead.
constexpr LeaseTiming kLongLease{.round_ms = 50, .lease_ms = 4000};

std::set<LeaseKey> all_shards() {
  std::set<LeaseKey> out;
  for (std::uint16_t i = 0; i < kShards; ++i) out.insert({at(i, 1, 1).key.table, ShardId(i)});
  return out;
}

struct LeaseEvent {
  std::int64_t at_us = 0;
  std::uint64_t token = 0;
  std::uint16_t worker = 0;
  std::uint16_t shard = 0;
  bool begins = false;
};

// Ships (in words only) what it is given, until a file says that it is enough.
[[noreturn]] void share_leases(const std::string& folder, std::uint16_t number, int report) {
  SystemClock clock;
  LeaseStore store(folder);
  LeaseWorker worker(store, WorkerId{"w" + std::to_string(number), "1"}, kLongLease, Rng(number));
  std::map<LeaseKey, std::uint64_t> ships;
  auto tell = [&](const LeaseKey& key, bool begins) {
    LeaseEvent event{clock.monotonic_us(), ships.at(key), number, key.shard.value, begins};
    if (write(report, &event, sizeof event) != sizeof event) _exit(1);
  };
  auto end = [&](const LeaseKey& key) {
    tell(key, false);
    worker.let_go(key, ships.at(key), {});
    ships.erase(key);
  };
  const auto shards = all_shards();
  while (!std::filesystem::exists(folder + "/enough")) {
    auto outcome = worker.round(shards, clock.monotonic_ms());
    for (const auto& key : outcome.lost) ships.erase(key);
    for (const auto& key : outcome.hand_over) end(key);
    for (const auto& gained : outcome.gained) {
      ships[gained.key] = gained.token;
      tell(gained.key, true);
    }
    usleep(static_cast<useconds_t>(kLongLease.round_ms * 1000));
  }
  while (!ships.empty()) end(ships.begin()->first);
  _exit(0);
}

// How many shards each of the owners has.
std::map<std::string, std::size_t> shares(LeaseStore& store) {
  std::map<std::string, std::size_t> out;
  for (const auto& row : store.load())
    if (!row.owner.empty()) ++out[row.owner];
  return out;
}

void wait_for_shares(LeaseStore& store, const std::map<std::string, std::size_t>& wanted) {
  for (int i = 0; i < 1200 && shares(store) != wanted; ++i) usleep(50'000);
  EXPECT_EQ(shares(store), wanted);
}

TEST(LeaseProcesses, WorkersShareAndInherit) {
  TempDir dir;
  LeaseStore store(dir.path());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::vector<pid_t> children;
  auto start = [&] {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) share_leases(dir.path(), static_cast<std::uint16_t>(children.size()), ends[1]);
    children.push_back(child);
  };
  start();
  wait_for_shares(store, {{"w0/1", 12}});
  start();
  start();
  wait_for_shares(store, {{"w0/1", 4}, {"w1/1", 4}, {"w2/1", 4}});
  kill(children[1], SIGKILL);
  ASSERT_EQ(waitpid(children[1], nullptr, 0), children[1]);
  wait_for_shares(store, {{"w0/1", 6}, {"w2/1", 6}});
  std::ofstream(dir.path() + "/enough") << "now";
  for (pid_t child : {children[0], children[2]}) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_TRUE(shares(store).empty());
  close(ends[1]);

  std::vector<LeaseEvent> events;
  for (LeaseEvent event; read(ends[0], &event, sizeof event) == sizeof event;)
    events.push_back(event);
  close(ends[0]);
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.at_us < b.at_us; });
  std::map<std::uint16_t, std::uint16_t> shipper;
  std::map<std::uint16_t, std::uint64_t> token;
  for (const auto& event : events) {
    auto at_shard = shipper.find(event.shard);
    if (event.begins) {
      bool from_the_dead = at_shard != shipper.end() && at_shard->second == 1;
      EXPECT_TRUE(at_shard == shipper.end() || from_the_dead) << "two ship shard " << event.shard;
      EXPECT_GT(event.token, token[event.shard]);
      token[event.shard] = event.token;
      shipper[event.shard] = event.worker;
    } else {
      ASSERT_NE(at_shard, shipper.end());
      EXPECT_EQ(at_shard->second, event.worker);
      shipper.erase(at_shard);
    }
  }
  EXPECT_TRUE(shipper.empty());
}

}  // namespace
}  // namespace meridian::checkpoint
