#include "region-node/peer/convert.h"

namespace meridian::peer {
namespace {

const char* key_type_name(model::AttributeType type) {
  switch (type) {
    case model::AttributeType::N: return "N";
    case model::AttributeType::B: return "B";
    default: return "S";
  }
}

model::KeyAttribute key_of(const rpc::KeyAttribute& key) {
  auto type = model::AttributeType::S;
  if (key.type == "N") type = model::AttributeType::N;
  if (key.type == "B") type = model::AttributeType::B;
  return {key.name, type};
}

}  // namespace

rpc::TableDefinition definition_of(const store::TableInfo& table) {
  rpc::TableDefinition out;
  out.id = table.id;
  out.name = table.name;
  out.partition = {table.keys.partition.name, key_type_name(table.keys.partition.type)};
  if (table.keys.sort)
    out.sort = rpc::KeyAttribute{table.keys.sort->name, key_type_name(table.keys.sort->type)};
  out.created_ms = table.created_ms;
  for (const auto& [region, entry] : table.replicas)
    out.replicas.emplace(region, rpc::ReplicaEntry{entry.present, entry.changed, entry.copying,
                                                   entry.expelled, entry.joined});
  const auto& settings = table.settings;
  out.billing_mode = settings.text(store::setting::kBillingMode);
  out.read_units = settings.number(store::setting::kReadUnits);
  out.write_units = settings.number(store::setting::kWriteUnits);
  for (const auto& [name, each] : settings.all())
    out.settings.emplace(name, rpc::Setting{each.value, each.changed});
  if (const auto* stream = table.enabled_stream())
    out.stream_view = model::view_type_name(stream->view);
  return out;
}

std::optional<store::TableSpec> spec_of(const rpc::TableDefinition& definition) {
  store::TableSpec out;
  out.id = definition.id;
  out.name = definition.name;
  out.keys.partition = key_of(definition.partition);
  if (definition.sort) out.keys.sort = key_of(*definition.sort);
  out.created_ms = definition.created_ms;
  out.settings = settings_of(definition);
  if (!definition.stream_view.empty()) {
    out.stream = model::parse_view_type(definition.stream_view);
    if (!out.stream) return std::nullopt;
  }
  out.replicas = entries_of(definition);
  return out;
}

store::Settings settings_of(const rpc::TableDefinition& definition) {
  namespace setting = store::setting;
  store::Settings out;
  for (const auto& [name, each] : definition.settings) out.set(name, each.value, each.changed);
  if (!definition.settings.empty()) return out;
  auto take = [&out](std::string_view name, const std::string& value) {
    if (!value.empty() && value != "0") out.set(std::string(name), value);
  };
  take(setting::kBillingMode, definition.billing_mode);
  take(setting::kReadUnits, std::to_string(definition.read_units));
  take(setting::kWriteUnits, std::to_string(definition.write_units));
  take(setting::kStreamView, definition.stream_view);
  return out;
}

std::map<RegionId, store::ReplicaEntry> entries_of(const rpc::TableDefinition& definition) {
  std::map<RegionId, store::ReplicaEntry> out;
  for (const auto& [region, entry] : definition.replicas)
    out.emplace(region, store::ReplicaEntry{entry.present, entry.changed, entry.copying,
                                            entry.expelled, entry.joined});
  return out;
}

rpc::ReplicatedTables replicated_tables(const store::Catalog& catalog, const RegionId& self) {
  rpc::ReplicatedTables out;
  out.generation = catalog.generation;
  for (const auto& [id, table] : catalog.by_id) {
    if (!table->has_replica(self)) continue;
    auto sinks = table->peers(self);
    if (sinks.empty()) continue;
    out.tables.push_back({id, table->name, table->shards, std::move(sinks)});
  }
  return out;
}

}  // namespace meridian::peer
