#include "region-node/store/flow_store.h"

#include "region-node/store/columns.h"

namespace meridian::store {

using sqlite::Statement;
using sqlite::Text;

FlowStore::FlowStore(sqlite::Database& db)
    : db_(db),
      save_position_(db,
                     "INSERT OR REPLACE INTO flows(number, source, shard, start, seq)"
                     " VALUES(?1, ?2, ?3, ?4, ?5)"),
      save_acknowledgement_(db,
                            "INSERT OR REPLACE INTO acknowledgements"
                            "(number, sink, shard, start, seq) VALUES(?1, ?2, ?3, ?4, ?5)") {}

void FlowStore::save_position(const TableState& table, const rpc::FlowId& flow,
                              const LogPosition& position) {
  save_position_.execute(table.number, Text{flow.source.name()}, flow.shard.value,
                         position.start.value, position.sequence.value);
}

void FlowStore::save_acknowledgement(const TableState& table, const RegionId& sink, ShardId shard,
                                     const LogPosition& position) {
  save_acknowledgement_.execute(table.number, Text{sink.name()}, shard.value, position.start.value,
                                position.sequence.value);
}

void FlowStore::forget_region(const TableState& table, const RegionId& region) {
  Statement flows(db_, "DELETE FROM flows WHERE number = ?1 AND source = ?2");
  flows.execute(table.number, Text{region.name()});
  Statement acks(db_, "DELETE FROM acknowledgements WHERE number = ?1 AND sink = ?2");
  acks.execute(table.number, Text{region.name()});
}

void FlowStore::pin(const RegionId& region, NodeId node) {
  Statement insert(db_, "INSERT OR REPLACE INTO identities(region, node) VALUES(?1, ?2)");
  insert.execute(Text{region.name()}, node.value);
}

void FlowStore::save_cursor(TableState& table, const std::string& name,
                            const std::optional<Bytes>& value) {
  if (value) {
    Statement save(db_, "INSERT OR REPLACE INTO cursors(number, name, value) VALUES(?1, ?2, ?3)");
    save.execute(table.number, Text{name}, *value);
    table.cursors[name] = *value;
  } else {
    Statement erase(db_, "DELETE FROM cursors WHERE number = ?1 AND name = ?2");
    erase.execute(table.number, Text{name});
    table.cursors.erase(name);
  }
}

void FlowStore::save_repairs(const TableState& table) {
  Statement erase(db_, "DELETE FROM repairs WHERE number = ?1");
  erase.execute(table.number);
  Statement insert(db_,
                   "INSERT INTO repairs(number, region, reason, since_ms, pinned, frozen)"
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  for (const auto& [region, mark] : table.info->repairs)
    insert.execute(table.number, Text{region.name()}, static_cast<std::int64_t>(mark.reason),
                   mark.since_ms, mark.pinned, mark.frozen);
}

void FlowStore::park(TableState& table, const rpc::FlowId& flow, const rpc::ChangeRecord& record,
                     const std::string& reason) {
  Statement insert(
      db_,
      "INSERT OR IGNORE INTO parked(number, source, shard, seq, key, version, parent, context,"
      " committed_us, image, reason)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  std::optional<Bytes> parent;
  if (record.parent) parent = conflict::encode_version(*record.parent);
  insert.execute(table.number, Text{flow.source.name()}, flow.shard.value, record.sequence.value,
                 record.key, conflict::encode_version(record.version), parent,
                 record.context.encode(), record.committed_us, record.new_image, Text{reason});
  table.parked += static_cast<std::uint64_t>(db_.changes());
}

std::optional<ParkedRecord> FlowStore::find_parked(const TableState& table, BytesView key,
                                                   const conflict::Version& version) {
  Statement select(db_, std::string("SELECT ") + kParkedColumns +
                            " FROM parked WHERE number = ?1 AND key = ?2 AND version = ?3");
  Bytes version_bytes = conflict::encode_version(version);
  auto row = select.run(table.number, key, version_bytes);
  if (!row.step()) return std::nullopt;
  return parked_at(row, table.info->id);
}

bool FlowStore::parked_covers(const TableState& table, BytesView key,
                              const conflict::Version& version) {
  Statement select(db_, "SELECT context FROM parked WHERE number = ?1 AND key = ?2");
  auto row = select.run(table.number, key);
  while (row.step()) {
    auto context = conflict::Context::decode(row.blob(0));
    if (!context) sqlite::damaged("the context of a parked record");
    if (context->covers(version)) return true;
  }
  return false;
}

void FlowStore::unpark(TableState& table, BytesView key, const conflict::Version& version) {
  Statement erase(db_, "DELETE FROM parked WHERE number = ?1 AND key = ?2 AND version = ?3");
  erase.execute(table.number, key, conflict::encode_version(version));
  table.parked -= static_cast<std::uint64_t>(db_.changes());
}

void FlowStore::retire(TableState& table, BytesView key, const conflict::Version& version) {
  Statement erase(db_, "DELETE FROM parked WHERE number = ?1 AND key = ?2 AND version < ?3");
  erase.execute(table.number, key, conflict::encode_version(version));
  table.parked -= static_cast<std::uint64_t>(db_.changes());
}

}  // namespace meridian::store
