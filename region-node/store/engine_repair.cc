// Repair: which peers need one, from where their flows go on after it, and the rows that it moves.
#include <algorithm>

#include "region-node/model/key.h"
#include "region-node/store/cursors.h"
#include "region-node/store/engine.h"
#include "region-node/store/membership_hash.h"
#include "region-node/store/schema.h"
#include "region-node/store/unsettled.h"

namespace meridian::store {

const char* repair_reason_name(RepairReason reason) {
  switch (reason) {
    case RepairReason::log_bound: return "log_bound";
    case RepairReason::trimmed: return "trimmed";
    case RepairReason::restored: return "restored";
  }
  return "unknown";
}

// ------------------------------------------------------------------------------------------- marks

// The log grew past its bound: it is no longer kept for those who make it so long.
void Engine::cut_loose(TableState& table) {
  TableInfo info = *table.info;
  for (const auto& peer : table.holders) {
    if (table.local_bytes - table.acknowledged_bytes_of(peer) < options_.unacknowledged_bytes_max)
      continue;
    auto& mark = info.repairs
                     .try_emplace(peer, RepairMark{RepairReason::log_bound,
                                                   guard_.believed_ms(), false, false})
                     .first->second;
    mark.pinned = false;  // of a repair that took too long
    ++health_.peers_cut_loose;
  }
  save_repairs(table, std::move(info));
}

void Engine::save_repairs(TableState& table, TableInfo info) {
  if (info.repairs == table.info->repairs && info.unsettled == table.info->unsettled) return;
  begin();
  save_unsettled(table, info);
  table.info = std::make_shared<const TableInfo>(std::move(info));
  table.derive(options_.region);
  flows_->save_repairs(table);
  catalog_changed_ = true;
}

// Those of regions that are no members any more go.
void Engine::change_marks(TableState& table, TableInfo& next) {
  auto gone = [&next](const auto& each) { return !next.has_replica(each.first); };
  std::erase_if(next.repairs, gone);
  if (next.repairs == table.info->repairs) return;
  TableInfo marks = *table.info;
  marks.repairs = next.repairs;
  save_repairs(table, std::move(marks));
}

std::optional<std::vector<LogPosition>> Engine::change_repair(const RepairChange& change) {
  using Kind = RepairChange::Kind;
  TableState* table = state_.find(change.table);
  bool of_a_peer = change.kind != Kind::renew && change.kind != Kind::thaw;
  if (table == nullptr || (of_a_peer && !table->info->has_replica(change.peer)))
    return std::nullopt;
  TableInfo info = *table->info;
  const bool was_frozen = info.frozen();
  std::vector<LogPosition> positions;
  switch (change.kind) {
    case Kind::pin: positions = pin_flows(*table, change.peer); [[fallthrough]];
    case Kind::mark: {
      auto& mark = info.repairs
                       .try_emplace(change.peer, RepairMark{change.reason, guard_.believed_ms(),
                                                            false, false})
                       .first->second;
      mark.pinned = mark.pinned || change.kind == Kind::pin;
      break;
    }
    case Kind::clear: info.repairs.erase(change.peer); break;
    case Kind::renew:
      renew_log(*table);
      change_epoch(*table);
      if (info.has_replica(options_.region)) begin_life(info, Begins::with_rows);
      for (const auto& peer : table->peers)
        info.repairs[peer] = {RepairReason::restored, guard_.believed_ms(), false, true};
      break;
    case Kind::thaw:
      for (auto& [region, mark] : info.repairs)
        if (change.peer.empty() || region == change.peer) mark.frozen = false;
      break;
    case Kind::begin_flows:
      if (begin_flows(*table, change) && change.settles == membership_hash(info.replicas))
        settle_with(change.peer, info);
      break;
  }
  if (was_frozen || change.kind == Kind::renew) forget_listed(*table);
  save_repairs(*table, std::move(info));
  if (change.kind == Kind::renew) catalog_->save_definition(*table);
  return positions;
}

// It does not know which of its writes had lost; whatever it is told of them lies below its clock.
void Engine::forget_listed(const TableState& table) {
  begin();
  ledger_->forget_until(table, hlc_.reach(guard_.believed_ms()));
}

// The peer's flows will begin where the logs end now, so from here on they are kept for it.
std::vector<LogPosition> Engine::pin_flows(TableState& table, const RegionId& peer) {
  begin();
  std::vector<LogPosition> ends;
  for (std::uint16_t i = 0; i < table.info->shards; ++i) {
    const ShardState& shard = table.shard(ShardId(i));
    AckState pin{shard.history.position_of(shard.history.end), shard.history.end, shard.counts};
    flows_->save_acknowledgement(table, peer, ShardId(i), pin.position);
    ends.push_back(pin.position);
    table.acks[{peer, ShardId(i)}] = std::move(pin);
  }
  return ends;
}

// What the log holds goes under another name, so that no position of its life before is taken for one
// of this: somebody holds what this region has forgotten.
void Engine::renew_log(TableState& table) {
  begin();
  for (std::uint16_t i = 0; i < table.info->shards; ++i) {
    LogHistory& history = table.shard(ShardId(i)).history;
    if (history.stretches.empty()) continue;
    Stretch renewed{StartId(rng_.next() | 1), history.stretches.front().first};
    catalog_->prune_history(table, ShardId(i), history.end.next().next());
    catalog_->add_stretch(table, ShardId(i), renewed);
    history.stretches = {renewed};
  }
  table.acks.clear();
  touch(table);
}

// A finished repair: all that the peer's logs held up to these positions is here, and so is whatever
// it knew of the others.  False if the latter cannot be said.
bool Engine::begin_flows(TableState& table, const RepairChange& change) {
  begin();
  for (std::size_t i = 0; i < change.positions.size() && i < kShardsMax; ++i) {
    rpc::FlowId flow{table.info->id, ShardId(static_cast<std::uint16_t>(i)), change.peer};
    LogPosition& position = table.flows[{flow.source, flow.shard}];
    // (A call that was long on its way: the flow has gone on since.)
    if (position.start == change.positions[i].start &&
        position.sequence > change.positions[i].sequence)
      continue;
    flows_->save_position(table, flow, change.positions[i]);
    position = change.positions[i];
  }
  auto watermarks = change.facts.watermarks;
  // Of a life that has ended a peer may say more than is true that has not heard of it.
  if (change.settles != membership_hash(table.info->replicas))
    for (const auto& [ended, holders] : table.info->unsettled) watermarks.erase(ended);
  const bool whole = take_parked(table, change.facts);
  if (!whole) watermarks.clear();
  adopt_watermarks({table.info->id, std::move(watermarks), change.facts.collected});
  return whole;
}

// The peer's watermarks cover what its parked records would replace, and no row of it says so: they are
// parked here as well, or applied.  False if that cannot be.
bool Engine::take_parked(TableState& table, const rpc::ReplicaFacts& facts) {
  if (facts.more_parked || table.parked + facts.parked.size() > kParkedMax) return false;
  auto ahead = [this](const auto& row) { return held(row.version); };
  if (std::any_of(facts.parked.begin(), facts.parked.end(), ahead)) return false;
  const auto applied = health_.records_applied;
  const auto [parked, counted] = std::pair(table.parked, health_.records_parked);
  for (const auto& row : facts.parked) {
    rpc::RepairWork::Row each{row, false};
    repair_row(table, each);
  }
  health_.records_parked = counted + (table.parked - std::min(parked, table.parked));  // the others were here
  if (health_.records_applied != applied) change_epoch(table);
  return true;
}

// -------------------------------------------------------------------------------------------- rows

rpc::RepairOutcome Engine::repair_rows(rpc::RepairWork& work) {
  rpc::RepairOutcome outcome;
  TableState* table = state_.find(work.table);
  if (table == nullptr) {
    outcome.status = rpc::ApplyStatus::no_such_table;
    return outcome;
  }
  if (!table->info->has_replica(options_.region)) {
    outcome.status = rpc::ApplyStatus::not_member;
    return outcome;
  }
  for (const auto& each : work.rows)
    if (held(each.row.version))
      outcome.retry_ms =
          std::max(outcome.retry_ms, guard_.hold_ms(each.row.version.hlc).value_or(1));
  if (outcome.retry_ms > 0) {
    outcome.status = rpc::ApplyStatus::held;
    ++health_.batches_held;
    return outcome;
  }
  if (table->parked + work.rows.size() > kParkedMax) return outcome;  // unavailable

  begin();
  const StoreHealth before = health_;
  for (auto& each : work.rows) {
    // What was decided rests on what had been collected here.
    bool at_stake = each.lost || (each.row.image && each.row.version.hlc <= table->collected);
    if (at_stake && work.collected != table->collected) {
      ++outcome.skipped;
      continue;
    }
    repair_row(*table, each);
  }
  for (const auto& drop : work.drops)
    ++(drop_row(*table, drop, work.drops_at) ? outcome.dropped : outcome.skipped);
  if (health_.records_applied != before.records_applied || outcome.dropped > 0)
    change_epoch(*table);
  auto since = [](std::uint64_t now, std::uint64_t then) {
    return static_cast<std::uint32_t>(now - then);
  };
  outcome.applied = since(health_.records_applied, before.records_applied);
  outcome.stale = since(health_.records_stale + health_.records_duplicate,
                        before.records_stale + before.records_duplicate);
  outcome.status = rpc::ApplyStatus::applied;
  return outcome;
}

void Engine::repair_row(TableState& table, rpc::RepairWork::Row& each) {
  rpc::ChangeRecord record;
  record.key = std::move(each.row.key);
  record.version = each.row.version;
  record.context = std::move(each.row.context);
  record.new_image = std::move(each.row.image);
  // (Named only for what has to be parked.)
  rpc::FlowId flow{table.info->id, ShardId(0), record.version.region};
  apply_record(table, flow, record, each.lost ? conflict::Hlc{} : table.collected);
}

// A row whose tombstone has been collected elsewhere: a tombstone at that horizon says so here, and is
// collected with the next look.
bool Engine::drop_row(TableState& table, const rpc::RepairWork::Drop& drop, conflict::Hlc at) {
  auto stored = items_->find(table, drop.key);
  if (!stored || stored->version != drop.version) return false;
  conflict::Version version{std::max(at, stored->version.hlc.next()), options_.region};
  hlc_.observe(version.hlc);
  auto known = conflict::Context::decode(stored->context_bytes);
  if (!known) sqlite::damaged("the context of an item");
  context_scratch_ = known->extended_by(stored->version).encode();
  ItemChange change{model::shard_of(table.info->keys, drop.key, table.info->shards),
                    drop.key,
                    version,
                    stored->version_bytes,
                    context_scratch_,
                    std::nullopt,
                    now_us_,
                    stored->image ? kInStream : 0};
  append(table, std::move(stored), change);
  return true;
}

}  // namespace meridian::store
