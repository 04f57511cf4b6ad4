#include "region-node/store/state.h"

#include "common/sqlite/sqlite.h"

#include <algorithm>

namespace meridian::store {

AckState TableState::acknowledged(const RegionId& sink, ShardId id) const {
  const ShardState& shard_state = shard(id);
  auto at = acks.find({sink, id});
  if (at != acks.end() && at->second.sequence >= shard_state.history.trimmed_to) return at->second;
  AckState none;
  none.sequence = shard_state.history.trimmed_to;
  none.counts = shard_state.trimmed_counts;
  if (at != acks.end()) none.position = at->second.position;
  return none;
}

bool TableState::reached(const RegionId& source, const std::vector<LogPosition>& ends,
                         StartId start) const {
  for (std::size_t i = 0; i < ends.size(); ++i) {
    auto at = flows.find({source, ShardId(static_cast<std::uint16_t>(i))});
    LogPosition position = at == flows.end() ? LogPosition{} : at->second;
    if (!rpc::reaches(position, ends[i], start)) return false;
  }
  return !ends.empty();
}

void TableState::derive(const RegionId& self) {
  peers = info->peers(self);
  local_bytes = 0;
  for (const auto& shard_state : shards) local_bytes += shard_state.counts.bytes;
  acknowledged_bytes = local_bytes;
  holders.clear();
  for (const auto& peer : peers) {
    auto mark = info->repairs.find(peer);
    if (mark != info->repairs.end() && !mark->second.pinned) continue;
    holders.push_back(peer);
    acknowledged_bytes = std::min(acknowledged_bytes, acknowledged_bytes_of(peer));
  }
}

std::uint64_t TableState::acknowledged_bytes_of(const RegionId& sink) const {
  std::uint64_t bytes = 0;
  for (std::uint16_t i = 0; i < info->shards; ++i)
    bytes += acknowledged(sink, ShardId(i)).counts.bytes;
  return bytes;
}

void TableState::show_log_ends() const {
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const LogHistory& history = shards[i].history;
    std::optional<LogPosition> end;
    try {
      end = history.position_of(history.end);
    } catch (const sqlite::SqliteError&) {
      // A damaged history: whoever reads that log is told so.
    }
    log_ends->set(ShardId(static_cast<std::uint16_t>(i)), end);
  }
}

}  // namespace meridian::store
