// Writer: the one thread that runs the engine, with its queues.
//
// Clients' operations and replicated batches wait in two queues; each group takes at least half of its
// room from either, so neither can starve the other.  There is no linger timer: groups grow by
// themselves while the commit before them runs.
//
// Threads: submit() and the getters from any; everything else on the writer's own.
// Owns: the engine, the thread, and one more that syncs the database file.  The destructor stops them.
// Errors: submit() answers on the caller's thread when the queue is full.
// Limits: StoreOptions::group_*, queue_*.
// Source: leveldb's group commit; ADR 0003.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include "common/mailbox.h"
#include "common/sqlite/late_sync.h"
#include "region-node/store/engine.h"
#include "region-node/store/ops.h"

namespace meridian::store {

class Writer {
 public:
  Writer(StoreOptions options, Clock& clock, Rng rng);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void submit(Op op);
  // Runs what is queued, then joins; what comes later is refused.  Idempotent.
  void stop();
  // Fixed at construction, so safe to ask from any thread.
  [[nodiscard]] const Engine& engine() const { return engine_; }
  [[nodiscard]] StoreHealth health() const;

 private:
  struct Room {
    std::size_t ops;
    std::size_t bytes;
  };
  void run();
  void sort_in(std::vector<Op>& arrived);
  void form_group(std::vector<Op>& group);
  void take(std::deque<Op>& queue, Room& room, std::vector<Op>& group) const;
  void release(const std::vector<Op>& group);

  sqlite::RunnerThread syncer_;
  Engine engine_;
  Mailbox<Op> mailbox_;
  std::atomic<std::size_t> queued_writes_{0};
  std::atomic<std::size_t> queued_write_bytes_{0};
  std::atomic<std::size_t> queued_batch_bytes_{0};
  std::atomic<std::uint64_t> refused_{0};
  // The writer's own.
  std::deque<Op> local_;
  std::deque<Op> remote_;
  std::thread thread_;
};

}  // namespace meridian::store
