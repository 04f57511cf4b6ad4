// What the store does to fill this region's new replica of a table: its flows begin where the seed
// stands, its rows come through apply_rows(), and then it is whole.
#include <algorithm>

#include "region-node/store/cursors.h"
#include "region-node/store/engine.h"

namespace meridian::store {

ControlResult Engine::copy_step(const TableId& id, const CopyStep& step) {
  TableState* table = state_.find(id);
  if (table == nullptr || !table->info->is_copying(options_.region))
    return Err(ControlError::no_such_table);
  return step.kind == CopyStep::Kind::begin ? begin_copy(*table, step)
                                             : finish_copy(*table, step);
}

void Engine::begin_life(TableInfo& info, Begins begins) {
  ReplicaEntry& own = info.replicas[options_.region];
  auto version = mint(own.changed.hlc);
  own = ReplicaEntry{true, version, begins == Begins::empty, false, version};
}

ControlResult Engine::begin_copy(TableState& table, const CopyStep& step) {
  if (table.cursors.count(kCopyCursor) != 0) return Err(ControlError::already_exists);
  for (const auto& stand : step.stands)
    if (stand.source == options_.region || stand.shard.value >= kShardsMax)
      return Err(ControlError::unavailable);
  begin();
  for (const auto& stand : step.stands) {
    LogPosition& position = table.flows[{stand.source, stand.shard}];
    // (A repair may have brought it further.)
    if (position.sequence > stand.position.sequence) continue;
    position = stand.position;
    flows_->save_position(table, {table.info->id, stand.shard, stand.source}, position);
  }
  for (const auto& [name, value] : step.cursors) flows_->save_cursor(table, name, value);
  return table.info;
}

ControlResult Engine::finish_copy(TableState& table, const CopyStep& step) {
  auto ahead = [this](conflict::Hlc hlc) { return from_the_future({hlc, options_.region}); };
  auto mark_ahead = [&](const auto& mark) { return ahead(mark.second); };
  if (ahead(step.collected) ||
      std::any_of(step.watermarks.begin(), step.watermarks.end(), mark_ahead))
    return Err(ControlError::unavailable);
  begin();
  for (const char* name : {kCopyCursor, kCopyBeginnings})
    flows_->save_cursor(table, name, std::nullopt);
  // It has never had those tombstones; and what it mints from now on lies above whatever the seed has
  // told others of itself before it knew of this replica.
  adopt_watermarks({table.info->id, step.watermarks, step.collected});
  TableInfo info = *table.info;
  for (const auto& ended : step.unsettled)
    for (const auto& peer : table.peers)
      if (peer != ended) info.unsettled[ended].insert(peer);
  save_unsettled(table, info);
  ReplicaEntry& own = info.replicas.at(options_.region);
  own.copying = false;
  own.changed = mint(own.changed.hlc);
  forget_listed(table);  // of an earlier life
  return save_info(table, std::move(info));
}

}  // namespace meridian::store
