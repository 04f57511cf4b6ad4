#include <algorithm>

#include "region-node/store/cursors.h"
#include "region-node/store/engine.h"
#include "region-node/store/global_version.h"
#include "region-node/store/unsettled.h"

namespace meridian::store {
namespace {

// Contexts have room for as many regions, removed ones included, beside that of absent keys (absence.h).
bool too_many(const std::map<RegionId, ReplicaEntry>& replicas) {
  return replicas.size() >= conflict::Context::kRegionsMax;
}

// Whether a replica of a global table of 2017 may be put in the place of this table, of which then
// nothing is left but its stream's ARN and its protection.
bool may_join(const TableSpec& spec, const TableState& table) {
  const auto* stream = table.info->enabled_stream();
  return spec.id && is_2017(spec.settings) && table.peers.empty() && table.stats.items == 0 &&
         table.info->keys == spec.keys && stream != nullptr && stream->view == spec.stream;
}

std::string view_name(const std::optional<model::StreamViewType>& view) {
  return view ? std::string(model::view_type_name(*view)) : std::string();
}

}  // namespace

// A change of membership or settings beyond the clock bound has to wait, as a record does: once it
// were kept, the next change here would have to be later still, and take this clock along.  So an
// operator's release is not for it.
bool Engine::from_the_future(const conflict::Version& changed) const {
  return guard_.hold_ms(changed.hlc).has_value();
}

ShardEnds Engine::ends_of(const TableState& table) {
  ShardEnds ends;
  for (const auto& shard : table.shards) ends.push_back(shard.history.end);
  return ends;
}

conflict::Version Engine::mint(conflict::Hlc floor) {
  return {hlc_.mint(guard_.believed_ms(), floor), options_.region};
}

ControlResult Engine::save_info(TableState& table, TableInfo info) {
  begin();
  table.info = std::make_shared<const TableInfo>(std::move(info));
  table.derive(options_.region);
  catalog_->save_definition(table);
  catalog_changed_ = true;
  return table.info;
}

ControlResult Engine::create_table(const TableSpec& spec) {
  std::uint16_t shards = spec.shards.value_or(options_.shards);
  if (state_.tables.size() >= kTablesMax || shards == 0 || shards > kShardsMax ||
      too_many(spec.replicas))
    return Err(ControlError::limit_exceeded);
  for (const auto& [region, entry] : spec.replicas)
    if (from_the_future(entry.changed)) return Err(ControlError::unavailable);
  for (const auto& [name, setting] : spec.settings.all())
    if (from_the_future(setting.changed)) return Err(ControlError::unavailable);
  TableId id = spec.id.value_or(TableId{rng_.next(), rng_.next()});
  if (state_.find(id) != nullptr) return Err(ControlError::already_exists);
  TableState* joined = nullptr;
  for (auto& [other, table] : state_.tables) {
    if (table.info->name != spec.name) continue;
    if (!may_join(spec, table)) return Err(ControlError::already_exists);
    joined = &table;
  }

  TableInfo info;
  info.id = id;
  info.name = spec.name;
  info.keys = spec.keys;
  info.shards = shards;
  info.created_ms = spec.created_ms.value_or(guard_.believed_ms());
  info.settings = spec.settings;
  if (info.settings.text(setting::kBillingMode).empty())
    info.settings.set(std::string(setting::kBillingMode), "PAY_PER_REQUEST");
  info.deletion_protection = spec.deletion_protection;
  info.replicas = spec.replicas;

  begin();
  std::optional<std::string> label;
  if (joined != nullptr) {
    info.deletion_protection = joined->info->deletion_protection;
    label = joined->info->enabled_stream()->label;
    erase(*joined);
  }
  if (spec.copy_from_others) begin_life(info, Begins::empty);
  TableState table;
  table.shards.resize(shards);
  if (spec.stream) {
    change_stream(info, table, spec.stream);
    if (info.settings.text(setting::kStreamView).empty())
      info.settings.set(std::string(setting::kStreamView), view_name(spec.stream));
  }
  if (label) info.streams.back().label = *label;  // its readers have the ARN already
  table.number = catalog_->create(info);
  ledger_->begin_table(table.number, mint({}).hlc);
  return save_info(state_.tables.emplace(id, std::move(table)).first->second, std::move(info));
}

ControlResult Engine::change_table(const TableId& id, const TableChange& change) {
  TableState* table = state_.find(id);
  if (table == nullptr) return Err(ControlError::no_such_table);
  TableInfo info = *table->info;
  bool enabled = info.enabled_stream() != nullptr;
  if (change.disable_stream && !enabled) return Err(ControlError::stream_disabled);
  if (change.enable_stream && enabled && !change.disable_stream)
    return Err(ControlError::stream_enabled);
  bool stream_changes = change.disable_stream || change.enable_stream;
  if (stream_changes || !change.settings.empty()) {
    begin();
    // Later than every override, which a change of the table's own value takes away.
    auto changed = mint(info.settings.newest());
    for (const auto& [name, value] : change.settings) info.settings.set(name, value, changed);
    if (stream_changes) {
      info.settings.set(std::string(setting::kStreamView), view_name(change.enable_stream),
                        changed);
      change_stream(info, *table, change.enable_stream);
    }
    if (info.settings.all().size() > kSettingsMax) return Err(ControlError::limit_exceeded);
  }
  if (change.deletion_protection) info.deletion_protection = *change.deletion_protection;
  return save_info(*table, std::move(info));
}

bool Engine::drained_somewhere(const TableState& table) const {
  auto drained = [&table](const RegionId& peer) {
    if (!table.info->is_whole(peer)) return false;
    // (What it has acknowledged then may be no more than where it will begin.)
    if (table.info->repairs.count(peer) != 0) return false;
    for (std::uint16_t i = 0; i < table.info->shards; ++i)
      if (table.acknowledged(peer, ShardId(i)).counts.records !=
          table.shard(ShardId(i)).counts.records)
        return false;
    return true;
  };
  return table.peers.empty() || std::any_of(table.peers.begin(), table.peers.end(), drained);
}

ControlResult Engine::drop_table(const TableId& id, bool force) {
  TableState* table = state_.find(id);
  if (table == nullptr) return Err(ControlError::no_such_table);
  if (table->info->deletion_protection) return Err(ControlError::protected_table);
  if (!force && !drained_somewhere(*table)) return Err(ControlError::not_drained);
  begin();
  TablePtr info = table->info;
  erase(*table);
  return info;
}

void Engine::erase(TableState& table) {
  catalog_->remove(table);
  state_.dropped.emplace_back(table.number, table.info->shards);
  std::erase_if(health_.conflicts,
                [&](const auto& each) { return each.table == table.info->id; });
  state_.tables.erase(TableId(table.info->id));
  catalog_changed_ = true;
  upkeep_left_ = true;
}

ControlResult Engine::merge_replicas(const TableId& id,
                                     const std::map<RegionId, ReplicaEntry>& entries) {
  TableState* table = state_.find(id);
  if (table == nullptr) return Err(ControlError::no_such_table);
  TableInfo info = *table->info;
  bool lost = false;
  for (const auto& [region, entry] : entries) {
    auto at = info.replicas.find(region);
    if (at != info.replicas.end() && entry.changed <= at->second.changed) continue;
    if (from_the_future(entry.changed)) return Err(ControlError::unavailable);
    hlc_.observe(entry.changed.hlc);
    bool own = region == options_.region && at != info.replicas.end() && at->second.present &&
               entry.present;
    // (Two regions that add this one at the same time begin no life of it: it does.)
    bool of_another_life =
        own && entry.joined != at->second.joined && entry.joined.region == region;
    if (own && at->second.copying && (of_another_life || !entry.copying)) {
      // Only this region ends a copy of its own: it did, and is back from before that.  Or it began this
      // life with a clock that was behind that of a life which it has lost: to those who know that one,
      // this one looks older.
      begin_life(info, Begins::empty);
    } else if (of_another_life && !entry.copying) {
      // It is back from before a life that it has begun.  Where its peers stand need not show it: who had
      // nothing of that life's log stands where every log begins.
      lost = true;
    } else {
      info.replicas[region] = entry;
    }
  }
  if (info.replicas == table->info->replicas && !lost) return table->info;
  if (too_many(info.replicas)) return Err(ControlError::limit_exceeded);
  begin();
  forget_changed_regions(*table, info);
  set_origin(*table, info);
  change_marks(*table, info);
  ControlResult merged = save_info(*table, std::move(info));
  if (!lost) return merged;
  change_repair({.kind = RepairChange::Kind::renew, .table = id});
  return table->info;
}

ControlResult Engine::merge_settings(const TableId& id, const Settings& settings) {
  TableState* table = state_.find(id);
  if (table == nullptr) return Err(ControlError::no_such_table);
  TableInfo info = *table->info;
  info.settings.merge(settings);
  if (info.settings == table->info->settings) return table->info;
  if (from_the_future({info.settings.newest(), {}})) return Err(ControlError::unavailable);
  if (info.settings.all().size() > kSettingsMax) return Err(ControlError::limit_exceeded);
  begin();
  hlc_.observe(info.settings.newest());
  auto wanted = info.settings.text(setting::kStreamView);
  auto view = model::parse_view_type(wanted);
  bool understood = view.has_value() || wanted.empty();
  if (understood && wanted != table->info->settings.text(setting::kStreamView))
    change_stream(info, *table, view);
  return save_info(*table, std::move(info));
}

// The stream of `info`, as `view` wants it; another view is another stream.
void Engine::change_stream(TableInfo& info, const TableState& table,
                           const std::optional<model::StreamViewType>& view) {
  const auto* enabled = info.enabled_stream();
  if (enabled != nullptr && view == enabled->view) return;
  auto now_ms = guard_.believed_ms();
  if (enabled != nullptr) disable_stream(info, ends_of(table), now_ms);
  if (view) enable_stream(info, *view, ends_of(table), now_ms);
}

ControlResult Engine::set_replica(const TableId& id, const RegionId& region, bool present) {
  TableState* table = state_.find(id);
  if (table == nullptr) return Err(ControlError::no_such_table);
  auto at = table->info->replicas.find(region);
  bool known = at != table->info->replicas.end();
  if (known ? at->second.present == present : !present) return table->info;
  TableInfo info = *table->info;
  info.replicas[region] = {};
  if (too_many(info.replicas)) return Err(ControlError::limit_exceeded);
  begin();
  auto version = mint(known ? at->second.changed.hlc : conflict::Hlc{});
  info.replicas[region] = ReplicaEntry{present, version, false, false, version};
  forget_changed_regions(*table, info);
  set_origin(*table, info);
  change_marks(*table, info);
  return save_info(*table, std::move(info));
}

// A region that left and came back has another log and has forgotten ours.
void Engine::forget_changed_regions(TableState& table, TableInfo& next) {
  for (const auto& [region, entry] : next.replicas) {
    auto at = table.info->replicas.find(region);
    bool same = at != table.info->replicas.end() && at->second.present == entry.present &&
                at->second.joined == entry.joined;
    if (region == options_.region || at == table.info->replicas.end() || same) continue;
    flows_->forget_region(table, region);
    // A new life of which nobody said that the one before had ended: its data was lost, and another node
    // may live it, or that one have been lost in its turn.
    if (auto known = state_.identities.find(region);
        at->second.present && entry.present && known != state_.identities.end()) {
      flows_->pin(region, kEndedNode);
      known->second = kEndedNode;
    }
    auto of_region = [&region](const auto& each) { return each.first.first == region; };
    std::erase_if(table.flows, of_region);
    std::erase_if(table.acks, of_region);
    if (at->second.present) note_ended_life(region, options_.region, next);
    // Whole in a life that this region hears of only now: what it has of ours nobody can tell but it.
    if (at->second.present && entry.present && !entry.copying)
      next.repairs.try_emplace(
          region, RepairMark{RepairReason::trimmed, guard_.believed_ms(), false, false});
    // (One that kept its rows may have made barriers before it knew that it had lost some.)
    if (entry.present)
      lower_watermark(table, region,
                      entry.copying ? std::max(entry.joined.hlc, table.collected)
                                    : table.collected);
  }
  save_unsettled(table, next);
}

void Engine::save_unsettled(TableState& table, const TableInfo& next) {
  if (next.unsettled == table.info->unsettled) return;
  std::optional<Bytes> bytes;
  if (!next.unsettled.empty()) bytes = unsettled_bytes(next.unsettled);
  flows_->save_cursor(table, kUnsettled, bytes);
}

// A table that becomes global while it is empty owes its first peers nothing of what was trimmed
// before, so for them the log begins here.
void Engine::set_origin(TableState& table, const TableInfo& next) {
  if (!table.peers.empty() || next.peers(options_.region).empty() || table.stats.items > 0) return;
  for (std::uint16_t i = 0; i < table.info->shards; ++i) {
    LogHistory& history = table.shard(ShardId(i)).history;
    if (history.origin == history.trimmed_to) continue;
    history.origin = history.trimmed_to;
    catalog_->save_trim(table, ShardId(i));
    touch(table);
  }
}

}  // namespace meridian::store
