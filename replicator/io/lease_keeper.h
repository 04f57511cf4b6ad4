// LeaseKeeper: the thread on which a replicator takes part in the sharing of leases
// (checkpoint/lease_worker.h), so that no disk is waited for on the KJ thread.
//
// Threads: set_shards(), let_go(), figures() from any; start(), stop() from one.  `changed` is called on
// its own thread.
// Owns: its thread.  Borrows: the store, used by that thread alone between start() and stop().
// Errors: a round that fails is logged and made again; what is held is held on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "checkpoint/lease_sights.h"
#include "checkpoint/lease_worker.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/rng.h"
#include "replicator/status.h"

namespace meridian::replicator {

class LeaseKeeper {
 public:
  using Changed = std::function<void(checkpoint::LeaseWorker::Outcome)>;

  LeaseKeeper(checkpoint::LeaseStore& store, checkpoint::WorkerId worker,
              checkpoint::LeaseTiming timing, const Clock& clock, Rng rng, Logger log);
  ~LeaseKeeper();

  // Rounds begin with the first set of shards.
  void start(Changed changed);
  // Lets go of everything and joins.  Idempotent.
  void stop();

  void set_shards(std::set<checkpoint::LeaseKey> shards);
  // What was to be handed over: its flows have stopped and got so far.
  void let_go(const checkpoint::LeaseKey& key, std::uint64_t token,
              std::vector<checkpoint::Checkpoint> checkpoints);
  // Ages are those of the moment of the call.
  [[nodiscard]] LeaseFigures figures() const;

 private:
  using Released = std::map<std::pair<checkpoint::LeaseKey, std::uint64_t>,  // key and token
                            std::vector<checkpoint::Checkpoint>>;

  void run();
  void round(const std::set<checkpoint::LeaseKey>& shards, Released released);
  void let_go_of_all();
  void note(const checkpoint::LeaseWorker::Outcome& outcome);

  const checkpoint::LeaseTiming timing_;
  const std::string name_;
  const Clock& clock_;
  const Logger log_;
  checkpoint::LeaseWorker worker_;
  bool failing_ = false;  // the last round did; of its own thread
  Changed changed_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::set<checkpoint::LeaseKey> shards_;  // guarded by mutex_, as is all that follows
  Released released_;
  LeaseFigures figures_;               // without the ages
  checkpoint::LeaseSights sights_;
  std::optional<std::int64_t> looked_ms_;
  bool known_ = false;  // the shards
  bool hurry_ = false;  // a round is due at once
  bool stopping_ = false;
};

}  // namespace meridian::replicator
