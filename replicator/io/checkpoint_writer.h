// CheckpointWriter: the thread that saves checkpoints, so that no disk is waited for on the KJ thread.
//
// Saves of one flow fold into the newest, so what waits is bounded by the number of flows.
// Threads: save(), forget() from any; start(), stop() from one.
// Owns: its thread.  Borrows: the store, used by that thread alone between start() and stop().
// Errors: a failed save is logged and tried again with what came since; a checkpoint is only a hint.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "checkpoint/store.h"
#include "common/clock.h"
#include "common/log.h"

namespace meridian::replicator {

class CheckpointWriter {
 public:
  // Shortest time between two transactions; also the wait after a failure.
  static constexpr std::int64_t kIntervalMs = 100;

  CheckpointWriter(checkpoint::CheckpointStore& store, const Clock& clock, Logger log);
  ~CheckpointWriter();

  void start();
  // Saves what waits, then joins.  Idempotent.
  void stop();

  // `token`: of the lease under which it is saved; 0: under none.
  void save(const checkpoint::CheckpointKey& key, LogPosition position, std::uint64_t token);
  void forget(const checkpoint::CheckpointKey& key);
  // Another worker has the flow now: what waits for it is left.
  void drop(const checkpoint::CheckpointKey& key);

  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  struct Save {
    LogPosition position;
    std::uint64_t token;
  };
  // Empty: forget.
  using Work = std::map<checkpoint::CheckpointKey, std::optional<Save>>;

  void run();
  bool write(const Work& work);
  void put_back(Work work);

  checkpoint::CheckpointStore& store_;
  const Clock& clock_;
  const Logger log_;
  bool failing_ = false;  // the last write did; of its own thread
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Work waiting_;           // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::atomic<std::uint64_t> failures_{0};
};

}  // namespace meridian::replicator
