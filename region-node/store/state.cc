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

// Why a position counts beyond an end only in the run that made the barrier (rpc::reaches), and not in
// any run that the end itself names: a copy of a data directory that is put back ends within a stretch of
// the run that was copied, and that run went on.  Its positions beyond the copy bear the start id of the
// end, and lie further on; what they stand for this life of the log has lost, and others may have more of
// it, minted before the barrier.  Nothing is missed thereby: whatever a log gets once a barrier was made,
// the run that made it writes, under its own id.  What a renewed log holds bears an id that was drawn for
// it, and never gets more under it, so a barrier from before may have to be made anew (Heartbeats).
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
  std::erase_if(joined_bytes,
                [this](const auto& joined) { return !info->has_replica(joined.first); });
  for (const auto& peer : peers) {
    if (info->is_copying(peer)) joined_bytes.try_emplace(peer, local_bytes);
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
  auto joined = joined_bytes.find(sink);
  return joined == joined_bytes.end() ? bytes : std::max(bytes, joined->second);
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
