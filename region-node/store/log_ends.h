// LogEnds: the newest position of each log shard of one table, as of the last commit: enough to know
// that there is nothing to read, without reading.
//
// Threads: any; one mutex, held for a copy.  Owns: nothing that points back, so it may outlive the
// table and the store.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "common/ids.h"

namespace meridian::store {

class LogEnds {
 public:
  explicit LogEnds(std::size_t shards) : ends_(shards, LogPosition{}) {}

  // The default position for a shard without records; empty for one that does not exist or whose
  // history is damaged.
  [[nodiscard]] std::optional<LogPosition> end(ShardId shard) const {
    std::lock_guard lock(mutex_);
    if (shard.value >= ends_.size()) return std::nullopt;
    return ends_[shard.value];
  }
  // The writer's.
  void set(ShardId shard, std::optional<LogPosition> end) {
    std::lock_guard lock(mutex_);
    ends_[shard.value] = end;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::optional<LogPosition>> ends_;  // guarded by mutex_
};

using LogEndsPtr = std::shared_ptr<const LogEnds>;

}  // namespace meridian::store
