// FlowStore: positions of flows, acknowledgements, identities and parked records, on the file.
//
// Threads: the engine's, inside its transaction.  Borrows: the connection.
// Errors: sqlite::SqliteError.
// Limits: kParkedMax parked records per table; beyond it the engine refuses the batch.
// Source: layout in schema.h; ADR 0006.
#pragma once

#include <optional>
#include <string>

#include "common/sqlite/sqlite.h"
#include "region-node/store/state.h"

namespace meridian::store {

inline constexpr std::uint64_t kParkedMax = 100'000;

class FlowStore {
 public:
  explicit FlowStore(sqlite::Database& db);

  void save_position(const TableState& table, const rpc::FlowId& flow, const LogPosition& position);
  void save_acknowledgement(const TableState& table, const RegionId& sink, ShardId shard,
                            const LogPosition& position);
  // Forgets positions and acknowledgements of a region.
  void forget_region(const TableState& table, const RegionId& region);
  void pin(const RegionId& region, NodeId node);
  // Writes down the repair marks of a table.
  void save_repairs(const TableState& table);

  // An empty value is forgotten.
  void save_cursor(TableState& table, const std::string& name, const std::optional<Bytes>& value);

  void park(TableState& table, const rpc::FlowId& flow, const rpc::ChangeRecord& record,
            const std::string& reason);
  std::optional<ParkedRecord> find_parked(const TableState& table, BytesView key,
                                          const conflict::Version& version);
  // Whether a parked record of `key` knew `version` when it was written.
  bool parked_covers(const TableState& table, BytesView key, const conflict::Version& version);
  // Takes it out of the quarantine.
  void unpark(TableState& table, BytesView key, const conflict::Version& version);
  // Forgets parked records of `key` older than `version`, which is applied.
  void retire(TableState& table, BytesView key, const conflict::Version& version);

 private:
  sqlite::Database& db_;
  sqlite::Statement save_position_;
  sqlite::Statement save_acknowledgement_;
};

}  // namespace meridian::store
