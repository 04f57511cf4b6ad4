// WatermarkStore: watermarks, collection horizons and the newest barrier, to and from the file.
//
// Threads: the engine's, inside its transaction (load: at open and after a rollback).
// Borrows: the connection.  Errors: sqlite::SqliteError.
// Source: layout in schema.h; ADR 0022.
#pragma once

#include <optional>

#include "common/sqlite/sqlite.h"
#include "region-node/store/state.h"

namespace meridian::store {

class WatermarkStore {
 public:
  explicit WatermarkStore(sqlite::Database& db);

  // REQUIRES: `state` is what CatalogStore::load() answered.
  void load(EngineState& state);
  void save(const TableState& table);
  void save_collected(const TableState& table);
  void save_barrier(conflict::Hlc barrier);
  // The oldest version of `origin` among the table's parked records.
  std::optional<conflict::Hlc> oldest_parked(const TableState& table, const RegionId& origin);

 private:
  sqlite::Database& db_;
  sqlite::Statement save_;
  sqlite::Statement save_collected_;
  sqlite::Statement save_barrier_;
};

}  // namespace meridian::store
