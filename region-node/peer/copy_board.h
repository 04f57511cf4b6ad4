// CopyBoard: what is known of replicas that are being filled, here and in other regions.
// Threads: any; one mutex.
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "common/ids.h"
#include "region-node/api/replica_control.h"

namespace meridian::peer {

class CopyBoard {
 public:
  void set(const TableId& table, const RegionId& region, api::ReplicaProgress progress) {
    std::lock_guard lock(mutex_);
    known_[{table, region}] = std::move(progress);
  }
  void forget(const TableId& table, const RegionId& region) {
    std::lock_guard lock(mutex_);
    known_.erase({table, region});
  }
  // Of one table, by region.
  [[nodiscard]] std::map<RegionId, api::ReplicaProgress> of(const TableId& table) const {
    std::lock_guard lock(mutex_);
    std::map<RegionId, api::ReplicaProgress> out;
    for (const auto& [key, progress] : known_)
      if (key.first == table) out.emplace(key.second, progress);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<TableId, RegionId>, api::ReplicaProgress> known_;  // guarded by mutex_
};

}  // namespace meridian::peer
