// MemoryCheckpointStore: for the simulator and for unit tests.  Lives as long as the object does.
// Threads: one at a time.
#pragma once

#include <map>

#include "checkpoint/store.h"

namespace meridian::checkpoint {

class MemoryCheckpointStore final : public CheckpointStore {
 public:
  std::vector<Checkpoint> load_all() override;
  std::optional<Checkpoint> load(const CheckpointKey& key) override;
  std::vector<Checkpoint> save_batch(const std::vector<Checkpoint>& checkpoints) override;
  void forget(const std::vector<CheckpointKey>& keys) override;

 private:
  std::map<CheckpointKey, Checkpoint> checkpoints_;
};

}  // namespace meridian::checkpoint
