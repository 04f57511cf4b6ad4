#include "region-node/store/catalog_store.h"

#include "region-node/store/columns.h"
#include "region-node/store/cursors.h"
#include "region-node/store/unsettled.h"
#include "region-node/store/schema.h"

namespace meridian::store {

using sqlite::Query;
using sqlite::Statement;
using sqlite::Text;

namespace {

constexpr std::string_view kReleasePrefix = "clock_release:";

constexpr auto kViewLast = static_cast<std::int64_t>(model::StreamViewType::NEW_AND_OLD_IMAGES);

model::AttributeType key_type_at(const Query& row, int column) {
  constexpr auto kLast = static_cast<std::int64_t>(model::AttributeType::B);
  return static_cast<model::AttributeType>(number_at(row, column, 0, kLast));
}

// The column `present` of a replica.
enum ReplicaColumn : std::int64_t { kAbsent = 0, kWhole = 1, kCopying = 2, kExpelled = 3 };

ReplicaColumn column_of(const ReplicaEntry& entry) {
  if (entry.present) return entry.copying ? kCopying : kWhole;
  return entry.expelled ? kExpelled : kAbsent;
}

// The version of a membership that nobody has changed yet is no version at all.
conflict::Version changed_at(const Query& row, int column) {
  if (row.blob(column) == conflict::encode_version(conflict::Version{})) return {};
  return version_at(row, column);
}

}  // namespace

CatalogStore::CatalogStore(sqlite::Database& db)
    : db_(db),
      save_stats_(db,
                  "UPDATE tables SET items = ?2, item_bytes = ?3, tombstones = ?4"
                  " WHERE number = ?1"),
      save_trim_(db,
                 "INSERT OR REPLACE INTO log_shards"
                 "(number, shard, trimmed_to, trimmed_records, trimmed_bytes, origin)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6)"),
      add_stretch_(db,
                   "INSERT INTO history(number, shard, first_seq, start) VALUES(?1, ?2, ?3, ?4)"),
      set_meta_(db, "INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)") {}

std::optional<std::int64_t> CatalogStore::meta(const char* name) {
  Statement select(db_, "SELECT value FROM meta WHERE name = ?1");
  Query row = select.run(Text{name});
  if (!row.step()) return std::nullopt;
  return row.int64(0);
}

std::optional<std::string> CatalogStore::meta_text(const char* name) {
  Statement select(db_, "SELECT value FROM meta WHERE name = ?1");
  Query row = select.run(Text{name});
  if (!row.step()) return std::nullopt;
  return std::string(row.text(0));
}

void CatalogStore::set_meta(const char* name, std::int64_t value) {
  set_meta_.execute(Text{name}, value);
}

void CatalogStore::set_meta_text(const char* name, const std::string& value) {
  set_meta_.execute(Text{name}, Text{value});
}

std::map<RegionId, conflict::Hlc> CatalogStore::releases() {
  std::map<RegionId, conflict::Hlc> out;
  Statement select(db_, "SELECT name, value FROM meta WHERE name GLOB 'clock_release:*'");
  for (Query row = select.run(); row.step();) {
    auto region = RegionId::parse(row.text(0).substr(kReleasePrefix.size()));
    if (!region) sqlite::damaged("the name of a region");
    out[*region] = conflict::Hlc{row.uint64(1)};
  }
  return out;
}

void CatalogStore::save_release(const RegionId& region, std::optional<conflict::Hlc> until) {
  std::string name = std::string(kReleasePrefix) + std::string(region.name());
  if (until) return set_meta(name.c_str(), static_cast<std::int64_t>(until->value));
  Statement erase(db_, "DELETE FROM meta WHERE name = ?1");
  erase.execute(Text{name});
}

// ------------------------------------------------------------------------------------------- load

EngineState CatalogStore::load() {
  EngineState state;
  {
    Statement select(
        db_,
        "SELECT number, id, name, partition_name, partition_type, sort_name, sort_type,"
        " shards, created_ms, deletion_protection, items, item_bytes, tombstones FROM tables");
    Query row = select.run();
    while (row.step()) {
      TableState table = load_table(row);
      TableId id = table.info->id;
      state.tables.emplace(id, std::move(table));
    }
  }
  Statement identities(db_, "SELECT region, node FROM identities");
  for (Query row = identities.run(); row.step();)
    state.identities.emplace(region_at(row, 0), NodeId(row.uint64(1)));
  Statement dropped(db_, "SELECT number, shards FROM dropped ORDER BY number");
  for (Query row = dropped.run(); row.step();)
    state.dropped.emplace_back(row.int64(0), static_cast<std::uint16_t>(row.int64(1)));
  return state;
}

TableState CatalogStore::load_table(const Query& row) {
  TableState table;
  auto info = std::make_shared<TableInfo>();
  table.number = row.int64(0);
  info->id = table_id_at(row, 1);
  info->name = row.text(2);
  info->keys.partition = {std::string(row.text(3)),
                          key_type_at(row, 4)};
  if (!row.is_null(5)) {
    info->keys.sort = model::KeyAttribute{std::string(row.text(5)), key_type_at(row, 6)};
  }
  info->shards = static_cast<std::uint16_t>(number_at(row, 7, 1, kShardsMax));
  info->created_ms = row.int64(8);
  info->deletion_protection = row.int64(9) != 0;
  table.stats = {row.uint64(10), row.uint64(11), row.uint64(12)};
  load_settings(table.number, *info);
  load_replicas(table.number, *info);
  load_streams(table.number, *info);
  load_repairs(table.number, *info);
  table.info = std::move(info);
  table.shards.resize(table.info->shards);
  load_shards(table);
  load_flows(table);
  return table;
}

void CatalogStore::load_settings(std::int64_t number, TableInfo& info) {
  Statement select(db_, "SELECT name, value, changed FROM settings WHERE number = ?1");
  for (Query row = select.run(number); row.step();)
    info.settings.set(std::string(row.text(0)), std::string(row.text(1)), changed_at(row, 2));
}

void CatalogStore::load_replicas(std::int64_t number, TableInfo& info) {
  Statement select(db_, "SELECT region, present, changed, joined FROM replicas WHERE number = ?1");
  for (Query row = select.run(number); row.step();) {
    ReplicaEntry& entry = info.replicas[region_at(row, 0)];
    auto state = number_at(row, 1, kAbsent, kExpelled);
    entry.present = state == kWhole || state == kCopying;
    entry.copying = state == kCopying;
    entry.expelled = state == kExpelled;
    entry.changed = changed_at(row, 2);
    if (!row.is_null(3)) entry.joined = changed_at(row, 3);
  }
}

void CatalogStore::load_repairs(std::int64_t number, TableInfo& info) {
  constexpr auto kFirst = static_cast<std::int64_t>(RepairReason::log_bound);
  constexpr auto kLast = static_cast<std::int64_t>(RepairReason::restored);
  Statement select(db_,
                   "SELECT region, reason, since_ms, pinned, frozen FROM repairs"
                   " WHERE number = ?1");
  for (Query row = select.run(number); row.step();)
    info.repairs[region_at(row, 0)] =
        RepairMark{static_cast<RepairReason>(number_at(row, 1, kFirst, kLast)), row.int64(2),
                   row.int64(3) != 0, row.int64(4) != 0};
}

void CatalogStore::load_streams(std::int64_t number, TableInfo& info) {
  Statement streams(db_,
                    "SELECT label, view, created_ms, disabled_ms FROM streams WHERE number = ?1"
                    " ORDER BY created_ms, label");
  Statement shards(db_,
                   "SELECT shard, generation, first_seq, last_seq, created_ms FROM stream_shards"
                   " WHERE number = ?1 AND label = ?2 ORDER BY shard, generation");
  for (Query row = streams.run(number); row.step();) {
    StreamInfo stream;
    stream.label = row.text(0);
    stream.view = static_cast<model::StreamViewType>(number_at(row, 1, 0, kViewLast));
    stream.created_ms = row.int64(2);
    if (!row.is_null(3)) stream.disabled_ms = row.int64(3);
    for (Query part = shards.run(number, Text{stream.label}); part.step();) {
      StreamShard shard;
      shard.shard = shard_at(part, 0, info.shards);
      shard.generation = static_cast<std::uint32_t>(part.int64(1));
      shard.first = Sequence(part.uint64(2));
      if (!part.is_null(3)) shard.last = Sequence(part.uint64(3));
      shard.created_ms = part.int64(4);
      stream.shards.push_back(shard);
    }
    info.streams.push_back(std::move(stream));
  }
}

void CatalogStore::load_shards(TableState& table) {
  Statement trims(db_,
                  "SELECT shard, trimmed_to, trimmed_records, trimmed_bytes, origin FROM log_shards"
                  " WHERE number = ?1");
  for (Query row = trims.run(table.number); row.step();) {
    ShardState& shard = table.shard(shard_at(row, 0, table.info->shards));
    shard.history.trimmed_to = Sequence(row.uint64(1));
    shard.trimmed_counts = {row.uint64(2), row.uint64(3)};
    shard.history.origin = Sequence(row.uint64(4));
  }
  Statement history(db_,
                    "SELECT shard, first_seq, start FROM history WHERE number = ?1"
                    " ORDER BY shard, first_seq");
  for (Query row = history.run(table.number); row.step();) {
    table.shard(shard_at(row, 0, table.info->shards))
        .history.stretches.push_back({StartId(row.uint64(2)), Sequence(row.uint64(1))});
  }
  for (std::uint16_t i = 0; i < table.info->shards; ++i) {
    ShardState& shard = table.shard(ShardId(i));
    shard.history.end = shard.history.trimmed_to;
    shard.counts = shard.trimmed_counts;
    Statement last(db_, "SELECT seq, local_records, local_bytes FROM " +
                            log_table(table.number, ShardId(i)) + " ORDER BY seq DESC LIMIT 1");
    Query row = last.run();
    if (!row.step()) continue;
    shard.history.end = Sequence(row.uint64(0));
    shard.counts = {row.uint64(1), row.uint64(2)};
  }
}

LocalCounts CatalogStore::counts_at(const TableState& table, ShardId shard, Sequence sequence) {
  const ShardState& state = table.shard(shard);
  if (sequence <= state.history.trimmed_to) return state.trimmed_counts;
  Statement select(db_, "SELECT local_records, local_bytes FROM " + log_table(table.number, shard) +
                            " WHERE seq = ?1");
  Query row = select.run(sequence.value);
  if (!row.step()) sqlite::damaged("a record of a log");
  return {row.uint64(0), row.uint64(1)};
}

void CatalogStore::load_flows(TableState& table) {
  Statement flows(db_, "SELECT source, shard, start, seq FROM flows WHERE number = ?1");
  for (Query row = flows.run(table.number); row.step();) {
    // (Another region's table may have more shards than ours.)
    table.flows[{region_at(row, 0), shard_at(row, 1, kShardsMax)}] =
        LogPosition{StartId(row.uint64(2)), Sequence(row.uint64(3))};
  }
  Statement acks(db_, "SELECT sink, shard, start, seq FROM acknowledgements WHERE number = ?1");
  for (Query row = acks.run(table.number); row.step();) {
    ShardId shard = shard_at(row, 1, table.info->shards);
    AckState ack;
    ack.position = LogPosition{StartId(row.uint64(2)), Sequence(row.uint64(3))};
    const LogHistory& history = table.shard(shard).history;
    if (history.check(ack.position) == rpc::ReadStatus::not_in_history) continue;
    ack.sequence = history.resolve(ack.position);
    ack.counts = counts_at(table, shard, ack.sequence);
    table.acks[{region_at(row, 0), shard}] = ack;
  }
  Statement cursors(db_, "SELECT name, value FROM cursors WHERE number = ?1");
  for (Query row = cursors.run(table.number); row.step();)
    table.cursors[std::string(row.text(0))] = row.blob(1);
  if (auto at = table.cursors.find(kUnsettled); at != table.cursors.end()) {
    TableInfo info = *table.info;
    info.unsettled = unsettled_in(at->second);
    table.info = std::make_shared<const TableInfo>(std::move(info));
  }
  Statement parked(db_, "SELECT count(*) FROM parked WHERE number = ?1");
  Query row = parked.run(table.number);
  if (row.step()) table.parked = row.uint64(0);
}

// ------------------------------------------------------------------------------------------- save

std::int64_t CatalogStore::create(const TableInfo& info) {
  Bytes id;
  put_u64(id, info.id.high);
  put_u64(id, info.id.low);
  Statement insert(db_,
                   "INSERT INTO tables(id, name, partition_name, partition_type, sort_name,"
                   " sort_type, shards, created_ms, deletion_protection, items, item_bytes,"
                   " tombstones) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0)");
  std::optional<Text> sort_name;
  std::optional<std::int64_t> sort_type;
  if (info.keys.sort) {
    sort_name = Text{info.keys.sort->name};
    sort_type = static_cast<std::int64_t>(info.keys.sort->type);
  }
  insert.execute(id, Text{info.name}, Text{info.keys.partition.name},
                 static_cast<std::int64_t>(info.keys.partition.type), sort_name, sort_type,
                 info.shards, info.created_ms, info.deletion_protection);
  std::int64_t number = db_.last_insert_rowid();
  create_table_storage(db_, number, info.shards);
  for (std::uint16_t i = 0; i < info.shards; ++i) save_trim_.execute(number, i, 0, 0, 0, 0);
  return number;
}

void CatalogStore::remove(const TableState& table) {
  for (const char* from :
       {"settings", "replicas", "streams", "stream_shards", "log_shards", "history", "flows",
        "acknowledgements", "parked", "cursors", "watermarks", "collections", "repairs",
        "tables"}) {
    Statement erase(db_, std::string("DELETE FROM ") + from + " WHERE number = ?1");
    erase.execute(table.number);
  }
  Statement drop(db_, "INSERT INTO dropped(number, shards) VALUES(?1, ?2)");
  drop.execute(table.number, table.info->shards);
}

void CatalogStore::save_definition(const TableState& table) {
  const TableInfo& info = *table.info;
  Statement update(db_, "UPDATE tables SET deletion_protection = ?2 WHERE number = ?1");
  update.execute(table.number, info.deletion_protection);
  for (const char* from : {"settings", "replicas", "streams", "stream_shards"}) {
    Statement erase(db_, std::string("DELETE FROM ") + from + " WHERE number = ?1");
    erase.execute(table.number);
  }
  Statement setting(
      db_, "INSERT INTO settings(number, name, value, changed) VALUES(?1, ?2, ?3, ?4)");
  for (const auto& [name, each] : info.settings.all())
    setting.execute(table.number, Text{name}, Text{each.value},
                    conflict::encode_version(each.changed));
  Statement replica(
      db_, "INSERT INTO replicas(number, region, present, changed, joined)"
           " VALUES(?1, ?2, ?3, ?4, ?5)");
  for (const auto& [region, entry] : info.replicas)
    replica.execute(table.number, Text{region.name()},
                    static_cast<std::int64_t>(column_of(entry)),
                    conflict::encode_version(entry.changed),
                    conflict::encode_version(entry.joined));
  Statement stream(db_,
                   "INSERT INTO streams(number, label, view, created_ms, disabled_ms)"
                   " VALUES(?1, ?2, ?3, ?4, ?5)");
  Statement shard(db_,
                  "INSERT INTO stream_shards(number, label, shard, generation, first_seq, last_seq,"
                  " created_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  for (const auto& each : info.streams) {
    stream.execute(table.number, Text{each.label}, static_cast<std::int64_t>(each.view),
                   each.created_ms, each.disabled_ms);
    for (const auto& part : each.shards) {
      std::optional<std::uint64_t> last;
      if (part.last) last = part.last->value;
      shard.execute(table.number, Text{each.label}, part.shard.value, part.generation,
                    part.first.value, last, part.created_ms);
    }
  }
}

void CatalogStore::save_stats(const TableState& table) {
  save_stats_.execute(table.number, table.stats.items, table.stats.item_bytes,
                      table.stats.tombstones);
}

void CatalogStore::save_trim(const TableState& table, ShardId shard) {
  const ShardState& state = table.shard(shard);
  save_trim_.execute(table.number, shard.value, state.history.trimmed_to.value,
                     state.trimmed_counts.records, state.trimmed_counts.bytes,
                     state.history.origin.value);
}

void CatalogStore::add_stretch(const TableState& table, ShardId shard, const Stretch& stretch) {
  add_stretch_.execute(table.number, shard.value, stretch.first.value, stretch.start.value);
}

void CatalogStore::prune_history(const TableState& table, ShardId shard, Sequence first) {
  Statement erase(db_, "DELETE FROM history WHERE number = ?1 AND shard = ?2 AND first_seq < ?3");
  erase.execute(table.number, shard.value, first.value);
}

}  // namespace meridian::store
