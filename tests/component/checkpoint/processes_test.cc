// Checkpoints under real processes: killed while writing, and several writing at once.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <vector>

#include "checkpoint/sqlite_store.h"
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

}  // namespace
}  // namespace meridian::checkpoint
