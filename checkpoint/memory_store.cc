#include "checkpoint/memory_store.h"

namespace meridian::checkpoint {

std::vector<Checkpoint> MemoryCheckpointStore::load_all() {
  std::vector<Checkpoint> out;
  for (const auto& [key, checkpoint] : checkpoints_) out.push_back(checkpoint);
  return out;
}

std::optional<Checkpoint> MemoryCheckpointStore::load(const CheckpointKey& key) {
  auto at = checkpoints_.find(key);
  if (at == checkpoints_.end()) return std::nullopt;
  return at->second;
}

std::vector<Checkpoint> MemoryCheckpointStore::save_batch(
    const std::vector<Checkpoint>& checkpoints) {
  std::vector<Checkpoint> refused;
  for (const auto& checkpoint : checkpoints) {
    auto [at, fresh] = checkpoints_.try_emplace(checkpoint.key, checkpoint);
    if (fresh) continue;
    const LogPosition& held = at->second.position;
    bool back =
        held.start == checkpoint.position.start && checkpoint.position.sequence < held.sequence;
    if (back) {
      refused.push_back(checkpoint);
    } else {
      at->second = checkpoint;
    }
  }
  return refused;
}

void MemoryCheckpointStore::forget(const std::vector<CheckpointKey>& keys) {
  for (const auto& key : keys) checkpoints_.erase(key);
}

}  // namespace meridian::checkpoint
