// KjThread: the one thread of a process that runs a KJ event loop, and the mailbox by which the other
// threads reach it.  All Cap'n Proto objects live and die on it.
//
// Threads: KjMailbox's methods from any; start(), stop() and run() from any thread but this one;
// timer() and network() only on it.
// Owns: the thread and its loop.  The mailbox is shared, so that a late completion of the store finds
// a closed mailbox instead of a dead object.
// Errors: what a posted task throws is logged; what run() throws comes back to its caller.
// Limits: `capacity` tasks for try_post(); post() is for answers to what this thread asked for, whose
// number is bounded by the questions.
// Source: ADR 0007.
#pragma once

#include <kj/async-io.h>
#include <kj/function.h>

#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/log.h"

namespace meridian::rpc {

class KjMailbox {
 public:
  using Task = kj::Function<void()>;

  explicit KjMailbox(std::size_t capacity) : capacity_(capacity) {}

  // False when full or closed; the task is then destroyed on the calling thread.
  bool try_post(Task task);
  // False only when closed.
  bool post(Task task);

 private:
  friend class KjThread;

  bool add(Task& task, std::size_t capacity);
  // Swaps what is there into `out`; when there is nothing, arms and answers the promise to sleep on.
  kj::Maybe<kj::Promise<void>> drain_or_arm(std::vector<Task>& out);
  void close();

  const std::size_t capacity_;
  std::mutex mutex_;
  std::vector<Task> tasks_;                                         // guarded by mutex_
  kj::Maybe<kj::Own<kj::CrossThreadPromiseFulfiller<void>>> wake_;  // guarded by mutex_
  bool closed_ = false;                                             // guarded by mutex_
};

class KjThread {
 public:
  static constexpr std::size_t kCapacityDefault = 4096;

  explicit KjThread(Logger log, std::size_t capacity = kCapacityDefault);
  ~KjThread();
  KjThread(const KjThread&) = delete;
  KjThread& operator=(const KjThread&) = delete;

  // Returns once the loop runs.
  void start();
  // Closes the mailbox, runs what is in it, ends the loop and joins.  Idempotent.
  // REQUIRES: every KJ object has been destroyed by a task before.
  void stop();
  // The same, with a last task after the loop's last turn: nothing of KJ runs any more, so what calls
  // under way still refer to can be destroyed there.  Not run when the thread does not run.
  void stop(KjMailbox::Task last);

  [[nodiscard]] const std::shared_ptr<KjMailbox>& mailbox() const { return mailbox_; }
  // Runs `task` on the thread and returns when it has; throws what it throws.
  // REQUIRES: running.
  void run(KjMailbox::Task task);

  [[nodiscard]] kj::Timer& timer();
  [[nodiscard]] kj::Network& network();
  // Waits, with the loop running.  REQUIRES: directly inside a posted task, not in a callback of KJ.
  template <typename T>
  T wait(kj::Promise<T> promise) {
    return promise.wait(io_->waitScope);
  }

 private:
  void loop(kj::Function<void()> ready);
  void run_tasks(std::vector<KjMailbox::Task>& tasks);

  const Logger log_;
  const std::shared_ptr<KjMailbox> mailbox_;
  std::thread thread_;
  std::unique_ptr<KjMailbox::Task> last_;  // set before the mailbox closes, run after
  kj::AsyncIoContext* io_ = nullptr;  // on the thread's stack while the loop runs
};

}  // namespace meridian::rpc
