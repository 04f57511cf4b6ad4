// CatalogStore: table definitions and everything else that is small, to and from the file.
//
// Threads: the engine's, inside its transaction (load: at open and after a rollback).
// Borrows: the connection.  Errors: sqlite::SqliteError.
// Source: layout in schema.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/sqlite/sqlite.h"
#include "region-node/store/state.h"

namespace meridian::store {

class CatalogStore {
 public:
  explicit CatalogStore(sqlite::Database& db);

  // Everything that the engine keeps in memory.
  EngineState load();

  // Makes the rows and SQL tables of a new table; answers its number.
  std::int64_t create(const TableInfo& info);
  // Takes a table out of the catalog; its SQL tables wait in `dropped` to be purged.
  void remove(const TableState& table);
  // Writes what may change of a definition: settings, replicas, streams.
  void save_definition(const TableState& table);
  void save_stats(const TableState& table);

  // Counts up to a sequence that is in the log or just before it.
  LocalCounts counts_at(const TableState& table, ShardId shard, Sequence sequence);
  void save_trim(const TableState& table, ShardId shard);
  void add_stretch(const TableState& table, ShardId shard, const Stretch& stretch);
  // Forgets stretches that begin before `first`.
  void prune_history(const TableState& table, ShardId shard, Sequence first);

  [[nodiscard]] std::optional<std::int64_t> meta(const char* name);
  [[nodiscard]] std::optional<std::string> meta_text(const char* name);
  void set_meta(const char* name, std::int64_t value);
  void set_meta_text(const char* name, const std::string& value);

  // Versions that are taken from beyond the clock bound, up to there, by region.
  [[nodiscard]] std::map<RegionId, conflict::Hlc> releases();
  // Empty: forgets it.
  void save_release(const RegionId& region, std::optional<conflict::Hlc> until);

 private:
  TableState load_table(const sqlite::Query& row);
  void load_settings(std::int64_t number, TableInfo& info);
  void load_replicas(std::int64_t number, TableInfo& info);
  void load_repairs(std::int64_t number, TableInfo& info);
  void load_streams(std::int64_t number, TableInfo& info);
  void load_shards(TableState& table);
  void load_flows(TableState& table);

  sqlite::Database& db_;
  sqlite::Statement save_stats_;
  sqlite::Statement save_trim_;
  sqlite::Statement add_stretch_;
  sqlite::Statement set_meta_;
};

}  // namespace meridian::store
