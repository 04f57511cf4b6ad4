// Rows of the table of checkpoints: what a row says, its hash, and the statement that saves one.
//
// Threads: that of the connection.  Errors: sqlite::SqliteError.
#pragma once

#include <cstdint>

#include "checkpoint/checkpoint.h"
#include "common/sqlite/sqlite.h"

namespace meridian::checkpoint {

inline constexpr const char* kCheckpointColumns =
    "sink, table_id, shard, start_id, sequence, updated_ms, hash";

// A row that was selected with these columns.
Checkpoint checkpoint_at(const sqlite::Query& row);

// Saves one checkpoint unless it would move back, or its token is no longer that of the lease of its
// shard.  The prepared statement of a connection.
class CheckpointSave {
 public:
  explicit CheckpointSave(sqlite::Database& db);
  // False when it was refused.
  bool save(const Checkpoint& checkpoint);

 private:
  sqlite::Database& db_;
  sqlite::Statement statement_;
};

}  // namespace meridian::checkpoint
