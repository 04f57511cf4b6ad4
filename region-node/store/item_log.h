// ItemLog: the hot path: reads an item, writes an item together with its change record.
//
// Threads: the engine's.  Borrows: the connection.
// Errors: sqlite::SqliteError; the caller then rolls the transaction back.
// Limits: statements are kept for every table that was written to since the start.
// Source: ADR 0001; layout in schema.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/bytes.h"
#include "common/sqlite/sqlite.h"
#include "conflict/version.h"
#include "region-node/store/state.h"

namespace meridian::store {

// The row of a key.  Its views are valid while it lives and until the item is written.
struct StoredItem {
  sqlite::Query cursor;
  std::int64_t id = 0;
  conflict::Version version;
  BytesView version_bytes;
  BytesView context_bytes;
  Sequence sequence;               // of the record that wrote it
  std::optional<BytesView> image;  // empty for a tombstone
};

// What is to become of an item, and what its record says.
struct ItemChange {
  ShardId shard;
  BytesView key;
  const conflict::Version& version;
  std::optional<BytesView> parent_bytes;  // encoded version that it replaced where it was written
  BytesView context_bytes;
  std::optional<BytesView> image;  // empty: a tombstone
  std::int64_t committed_us = 0;
  int flags = 0;  // RecordFlags
};

class ItemLog {
 public:
  explicit ItemLog(sqlite::Database& db);
  ~ItemLog();

  std::optional<StoredItem> find(const TableState& table, BytesView key);
  // Writes item and record, counts them in `table`.  `stored` is what find() answered for the key; it
  // is spent, so context and image of `change` must not be views of it (the parent may be).
  // REQUIRES: the shard's history ends with the stretch of this start.
  void write(TableState& table, std::optional<StoredItem> stored, const ItemChange& change);

  struct Tombstone {
    Bytes version;  // encoded
    std::int64_t id = 0;
  };
  // The oldest tombstones at or below `horizon`, at most `rows_max`, ascending.
  std::vector<Tombstone> old_tombstones(const TableState& table, conflict::Hlc horizon,
                                        std::size_t rows_max);
  // Deletes their rows.  What the log says of them stays.
  // REQUIRES: `oldest` is what old_tombstones() answered, and not empty.
  void collect(TableState& table, const std::vector<Tombstone>& oldest);

  // When a record was committed here; empty when it is no longer in the log.
  std::optional<std::int64_t> committed_us(const TableState& table, ShardId shard,
                                           Sequence sequence);

  // Drops the prepared statements, before a table goes or after a rollback.
  void forget_statements();

 private:
  struct ShardStatements;
  struct TableStatements;
  TableStatements& statements(const TableState& table);
  ShardStatements& shard_statements(const TableState& table, ShardId shard);
  static void count(TableState& table, const std::optional<StoredItem>& stored,
                    const ItemChange& change);

  sqlite::Database& db_;
  std::unordered_map<std::int64_t, std::unique_ptr<TableStatements>> tables_;
  std::int64_t recent_number_ = 0;  // of the table that was used last
  TableStatements* recent_ = nullptr;
  Bytes version_scratch_;
};

}  // namespace meridian::store
