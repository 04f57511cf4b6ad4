// CheckpointStore: where a region's replicator workers keep their checkpoints.
//
// Monotonic: within one start id a checkpoint never moves back; a save that would is refused and told,
// never done.  A position with another start id is always taken, because only the source's history can
// order start ids.
// Threads: one at a time per object; several objects, also in several processes, may share one
// database (sqlite_store.h).
// Errors: exceptions when the environment fails (full disk, lock held too long).
#pragma once

#include <optional>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace meridian::checkpoint {

class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  virtual std::vector<Checkpoint> load_all() = 0;  // ascending key
  virtual std::optional<Checkpoint> load(const CheckpointKey& key) = 0;
  // All or nothing, durable against the death of the process when it returns.  Answers those that
  // were refused because they would have moved back.
  virtual std::vector<Checkpoint> save_batch(const std::vector<Checkpoint>& checkpoints) = 0;
  // For flows that are over: the table or the replica is gone.
  virtual void forget(const std::vector<CheckpointKey>& keys) = 0;
};

}  // namespace meridian::checkpoint
