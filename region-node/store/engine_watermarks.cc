// Barriers of this region, and the watermarks of the others.
#include <algorithm>

#include "region-node/store/engine.h"

namespace meridian::store {

// Whoever is minted a version later in this group already gets one above the barrier, so it does not
// matter where in the group it is made.
rpc::Barrier Engine::barrier(const std::vector<TableId>& tables) {
  rpc::Barrier out;
  out.start = start_;
  out.time = hlc_.reach(guard_.believed_ms());
  if (out.time > state_.barrier) {
    begin();  // commit() stores the ceiling as well
    watermarks_->save_barrier(out.time);
    state_.barrier = out.time;
  }
  for (const TableId& id : tables) {
    const TableState* table = state_.find(id);
    // (What a region has lost of its own past, others may hold.)
    if (table == nullptr || !table->info->has_own_past(options_.region)) continue;
    auto& ends = out.tables.emplace_back(rpc::TableEnds{id, {}}).ends;
    for (const auto& shard : table->shards)
      ends.push_back(shard.history.position_of(shard.history.end));
  }
  return out;
}

Reached Engine::advance(const RegionId& source, NodeId source_node,
                        const std::vector<rpc::Barrier>& barriers) {
  Reached out(barriers.size());
  auto known = state_.identities.find(source);
  if (source == options_.region || known == state_.identities.end() ||
      known->second != source_node)
    return out;
  for (std::size_t i = 0; i < barriers.size(); ++i) {
    for (const auto& ends : barriers[i].tables) {
      TableState* table = state_.find(ends.table);
      if (table == nullptr || !table->info->has_replica(source) ||
          table->info->unsettled.contains(source) ||  // of its life before, others may hold more
          !table->info->is_whole(options_.region))  // what flows began beyond may be missing yet
        continue;
      if (!table->reached(source, ends.ends, barriers[i].start)) continue;
      raise_watermark(*table, source, barriers[i].time);
      out[i].push_back(ends.table);
    }
  }
  return out;
}

// A parked record has not been applied, whatever the flow's position says.
void Engine::raise_watermark(TableState& table, const RegionId& origin, conflict::Hlc to) {
  if (table.parked > 0)
    if (auto parked = watermarks_->oldest_parked(table, origin); parked && parked->value > 0)
      to = std::min(to, conflict::Hlc{parked->value - 1});
  conflict::Hlc& watermark = table.watermarks[origin];
  if (to <= watermark) return;
  watermark = to;
  table.watermarks_dirty = true;
  watermarks_dirty_ = true;
}

// A region that begins a new life writes above `to`, and what it wrote in the life before is another
// matter: only up to there is what it said of that true of both.
void Engine::lower_watermark(TableState& table, const RegionId& origin, conflict::Hlc to) {
  auto at = table.watermarks.find(origin);
  if (at == table.watermarks.end() || at->second <= to) return;
  at->second = to;
  table.watermarks_dirty = true;
  watermarks_dirty_ = true;
}

bool Engine::adopt_watermarks(const rpc::TableWatermarks& watermarks) {
  TableState* table = state_.find(watermarks.table);
  if (table == nullptr) return false;
  begin();
  for (const auto& [origin, hlc] : watermarks.applied) {
    // What another region says of a clock that is beyond the bound does not take this one along.
    if (origin == options_.region || !guard_.hold_ms(hlc)) hlc_.observe(hlc);
    if (origin != options_.region) {
      raise_watermark(*table, origin, hlc);
    } else if (hlc > state_.barrier) {
      watermarks_->save_barrier(hlc);
      state_.barrier = hlc;
    }
  }
  raise_collected(*table, watermarks.collected);
  return true;
}

void Engine::save_watermarks() {
  if (!watermarks_dirty_) return;
  for (auto& [id, table] : state_.tables) {
    if (!table.watermarks_dirty) continue;
    watermarks_->save(table);
    table.watermarks_dirty = false;
  }
  watermarks_dirty_ = false;
}

}  // namespace meridian::store
