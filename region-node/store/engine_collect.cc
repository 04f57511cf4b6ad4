// Collection of tombstones, in steps that the peer layer asks for.
#include <algorithm>

#include "region-node/store/engine.h"
#include "region-node/store/membership_hash.h"

namespace meridian::store {

// Up to where tombstones may go now; zero: none may.
conflict::Hlc Engine::collectable_to(const TableState& table, const CollectStep& step) const {
  const TableInfo& info = *table.info;
  const RegionId& self = options_.region;
  // Ages mean nothing while the wall clock is not trusted; and who has lost something of its own, or
  // has not got everything yet, cannot say what it does not miss.
  if (guard_.state() == conflict::ClockGuard::State::stepped || info.frozen() ||
      !info.serves(self) || membership_hash(info.replicas) != step.membership)
    return {};
  std::int64_t old_ms = guard_.believed_ms() - options_.tombstone_retention_ms;
  if (old_ms <= 0) return {};
  conflict::Hlc to = std::min(step.horizon, conflict::Hlc::at_ms(old_ms));
  if (table.peers.empty()) return std::min(to, hlc_.last());
  if (!info.has_replica(self)) return {};
  to = std::min(to, state_.barrier);
  auto lower = [&](const RegionId& origin) {
    auto at = table.watermarks.find(origin);
    to = std::min(to, at == table.watermarks.end() ? conflict::Hlc{} : at->second);
  };
  for (const auto& origin : table.peers) lower(origin);
  for (const auto& [origin, holders] : info.unsettled) lower(origin);
  return to;
}

CollectOutcome Engine::collect(const CollectStep& step) {
  CollectOutcome out;
  TableState* table = state_.find(step.table);
  if (table == nullptr || table->stats.tombstones == 0) return out;
  conflict::Hlc to = collectable_to(*table, step);
  if (to == conflict::Hlc{}) return out;
  auto oldest = items_->old_tombstones(*table, to, options_.collect_rows_max);
  if (oldest.empty()) return out;
  auto newest = conflict::decode_version(oldest.back().version);
  if (!newest) sqlite::damaged("the list of tombstones");
  begin();
  items_->collect(*table, oldest);
  touch(*table);
  raise_collected(*table, newest->hlc);
  health_.tombstones_collected += oldest.size();
  out.collected = oldest.size();
  out.more = oldest.size() == options_.collect_rows_max;
  return out;
}

// Nothing is minted at or below it from then on.
void Engine::raise_collected(TableState& table, conflict::Hlc to) {
  hlc_.observe(to);
  if (to <= table.collected) return;
  table.collected = to;
  watermarks_->save_collected(table);
}

}  // namespace meridian::store
