// The codec of tables, memberships, acknowledgements and backlogs.
#include "rpc/codec_internal.h"

namespace meridian::rpc {
namespace {

using internal::copy_to;
using internal::count_of;
using internal::require;
using internal::text_of;

void write_key_attribute(const KeyAttribute& value, wire::KeyAttribute::Builder out) {
  // DynamoDB allows a zero byte in it, where a setter of Cap'n Proto would end.
  copy_to(out.initName(count_of(value.name.size())), value.name);
  out.setType(value.type);
}

template <typename Builder>
void write_sink(const RegionId& sink, Builder out) {
  copy_to(out.initSink(count_of(sink.name().size())), sink.name());
}

// As DynamoDB allows them.
std::string read_table_name(capnp::Text::Reader in) {
  auto name = text_of(in, kNameBytesMax, "table name too long");
  require(!name.empty(), "empty table name");
  for (char c : name) {
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '_' || c == '.' || c == '-';
    require(fine, "not a table name");
  }
  return name;
}

// A word of our own, such as a view type.
std::string read_word(capnp::Text::Reader in, std::string_view field) {
  auto word = text_of(in, kNameBytesMax, field);
  for (char c : word) require((c >= 'A' && c <= 'Z') || c == '_', field);
  return word;
}

KeyAttribute read_key_attribute(wire::KeyAttribute::Reader in) {
  KeyAttribute out;
  out.name = text_of(in.getName(), kNameBytesMax, "key attribute name too long");
  out.type = text_of(in.getType(), 1, "unknown key type");
  require(!out.name.empty(), "empty key attribute name");
  require(is_utf8(out.name), "a key attribute's name is not UTF-8");
  require(out.type == "S" || out.type == "N" || out.type == "B", "unknown key type");
  return out;
}

}  // namespace

Role read_role(wire::Role in) {
  require(in <= wire::Role::PEER_REPLICATOR, "unknown role");
  return static_cast<Role>(in);
}

wire::Role write_role(Role value) { return static_cast<wire::Role>(value); }

namespace {

void read_settings(capnp::List<wire::Setting>::Reader in, TableDefinition& out) {
  require(in.size() <= kSettingsMax, "too many settings");
  for (auto item : in) {
    auto name = text_of(item.getName(), kSettingBytesMax, "setting name too long");
    require(!name.empty() && is_utf8(name), "not a setting's name");
    Setting setting;
    setting.value = text_of(item.getValue(), kSettingBytesMax, "setting too long");
    require(is_utf8(setting.value), "a setting is not UTF-8");
    if (item.hasChanged()) setting.changed = read_version(item.getChanged());
    require(out.settings.emplace(std::move(name), std::move(setting)).second,
            "a setting is named twice");
  }
}

void write_settings(const std::map<std::string, Setting>& values,
                    wire::TableDefinition::Builder out) {
  auto items = out.initSettings(count_of(values.size()));
  unsigned i = 0;
  for (const auto& [name, setting] : values) {
    auto item = items[i++];
    copy_to(item.initName(count_of(name.size())), name);
    copy_to(item.initValue(count_of(setting.value.size())), setting.value);
    if (setting.changed != conflict::Version{}) write_version(setting.changed, item.initChanged());
  }
}

}  // namespace

TableDefinition read_definition(wire::TableDefinition::Reader in) {
  TableDefinition out;
  out.id = read_table_id(in.getId());
  out.name = read_table_name(in.getName());
  out.partition = read_key_attribute(in.getPartitionKey());
  if (in.hasSortKey()) out.sort = read_key_attribute(in.getSortKey());
  require(!out.sort || out.sort->name != out.partition.name, "a key attribute is named twice");
  out.created_ms = in.getCreatedMs();
  auto replicas = in.getReplicas();
  require(replicas.size() <= kReplicasMax, "too many replicas");
  for (auto replica : replicas) {
    auto region = read_region(replica.getRegion());
    ReplicaEntry entry{replica.getPresent(), read_version(replica.getChanged()),
                       replica.getCopying(), replica.getExpelled(), {}};
    if (replica.hasJoined()) entry.joined = read_version(replica.getJoined());
    require(out.replicas.emplace(region, entry).second, "a replica is named twice");
  }
  out.billing_mode = read_word(in.getBillingMode(), "not a billing mode");
  out.read_units = in.getReadUnits();
  out.write_units = in.getWriteUnits();
  require(out.read_units >= 0 && out.write_units >= 0, "negative capacity units");
  out.stream_view = read_word(in.getStreamViewType(), "not a stream view type");
  read_settings(in.getSettings(), out);
  return out;
}

void write_definition(const TableDefinition& value, wire::TableDefinition::Builder out) {
  write_table_id(value.id, out.initId());
  out.setName(value.name);
  write_key_attribute(value.partition, out.initPartitionKey());
  if (value.sort) write_key_attribute(*value.sort, out.initSortKey());
  out.setCreatedMs(value.created_ms);
  auto replicas = out.initReplicas(count_of(value.replicas.size()));
  unsigned i = 0;
  for (const auto& [region, entry] : value.replicas) {
    auto replica = replicas[i++];
    copy_to(replica.initRegion(count_of(region.name().size())), region.name());
    replica.setPresent(entry.present);
    write_version(entry.changed, replica.initChanged());
    replica.setCopying(entry.copying);
    replica.setExpelled(entry.expelled);
    if (entry.joined.hlc.value != 0) write_version(entry.joined, replica.initJoined());
  }
  out.setBillingMode(value.billing_mode);
  out.setReadUnits(value.read_units);
  out.setWriteUnits(value.write_units);
  out.setStreamViewType(value.stream_view);
  write_settings(value.settings, out);
}

ReplicatedTables read_tables(wire::Region::ReplicatedTablesResults::Reader in) {
  ReplicatedTables out;
  out.generation = in.getGeneration();
  auto tables = in.getTables();
  require(tables.size() <= kTablesMax, "too many tables");
  out.tables.reserve(tables.size());
  for (auto table : tables) {
    auto& next = out.tables.emplace_back();
    next.id = read_table_id(table.getId());
    next.name = read_table_name(table.getName());
    next.shards = table.getShards();
    auto sinks = table.getSinks();
    require(sinks.size() <= kReplicasMax, "too many sinks");
    for (auto sink : sinks) next.sinks.push_back(read_region(sink));
  }
  return out;
}

void write_tables(const ReplicatedTables& value,
                  wire::Region::ReplicatedTablesResults::Builder out) {
  out.setGeneration(value.generation);
  auto tables = out.initTables(count_of(value.tables.size()));
  for (std::size_t i = 0; i < value.tables.size(); ++i) {
    const auto& from = value.tables[i];
    auto table = tables[count_of(i)];
    write_table_id(from.id, table.initId());
    table.setName(from.name);
    table.setShards(from.shards);
    auto sinks = table.initSinks(count_of(from.sinks.size()));
    for (std::size_t s = 0; s < from.sinks.size(); ++s) {
      auto name = from.sinks[s].name();
      copy_to(sinks.init(count_of(s), count_of(name.size())), name);
    }
  }
}

std::vector<Acknowledgement> read_acknowledgements(capnp::List<wire::Acknowledgement>::Reader in) {
  require(in.size() <= kAcknowledgementsMax, "too many acknowledgements");
  std::vector<Acknowledgement> out;
  out.reserve(in.size());
  for (auto item : in)
    out.push_back({read_table_id(item.getTable()), ShardId(item.getShard()),
                   read_region(item.getSink()), read_position(item.getPosition())});
  return out;
}

void write_acknowledgements(const std::vector<Acknowledgement>& values,
                            wire::Region::AcknowledgeParams::Builder out) {
  auto items = out.initAcknowledgements(count_of(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto item = items[count_of(i)];
    write_table_id(values[i].table, item.initTable());
    item.setShard(values[i].shard.value);
    write_sink(values[i].sink, item);
    write_position(values[i].position, item.initPosition());
  }
}

std::vector<BacklogQuery> read_queries(capnp::List<wire::BacklogQuery>::Reader in) {
  require(in.size() <= kBacklogQueriesMax, "too many backlog queries");
  std::vector<BacklogQuery> out;
  out.reserve(in.size());
  for (auto item : in)
    out.push_back(
        {read_table_id(item.getTable()), ShardId(item.getShard()), read_region(item.getSink())});
  return out;
}

void write_queries(const std::vector<BacklogQuery>& values,
                   wire::Region::BacklogParams::Builder out) {
  auto items = out.initQueries(count_of(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto item = items[count_of(i)];
    write_table_id(values[i].table, item.initTable());
    item.setShard(values[i].shard.value);
    write_sink(values[i].sink, item);
  }
}

std::vector<BacklogAnswer> read_backlogs(capnp::List<wire::Backlog>::Reader in) {
  require(in.size() <= kBacklogQueriesMax, "too many backlogs");
  std::vector<BacklogAnswer> out;
  out.reserve(in.size());
  for (auto item : in) {
    auto& next = out.emplace_back();
    next.pending_records = item.getPendingRecords();
    next.pending_bytes = item.getPendingBytes();
    if (item.getOldestUs() != 0) next.oldest_us = item.getOldestUs();
    next.acknowledged = read_position(item.getAcknowledged());
  }
  return out;
}

void write_backlogs(const std::vector<BacklogAnswer>& values,
                    wire::Region::BacklogResults::Builder out) {
  auto items = out.initBacklogs(count_of(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto item = items[count_of(i)];
    item.setPendingRecords(values[i].pending_records);
    item.setPendingBytes(values[i].pending_bytes);
    item.setOldestUs(values[i].oldest_us.value_or(0));
    write_position(values[i].acknowledged, item.initAcknowledged());
  }
}

}  // namespace meridian::rpc
