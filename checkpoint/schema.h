// The database that the workers of a region share: checkpoints and leases.
//
// journal_mode=DELETE, because several processes write it, and WAL with several writers is not safe in
// the SQLite releases that we build against (ADR 0003).  synchronous=NORMAL: a power cut may lose the
// newest changes: a checkpoint costs a question; leases are moot, since all who held them are gone.
//
//   checkpoints(sink, table_id, shard, start_id, sequence, updated_ms, hash)
//   leases(table_id, shard, owner, token, counter, wanted)    lease.h
//   fence(next)                                               one row: the token that is given out next
//
// table_id is 16 bytes, big-endian.
// Threads: that of the connection.
// Errors: sqlite::SqliteError, with is_damage() when the database is damaged; std::runtime_error when it
// is of a newer format, or its folder cannot be made.
#pragma once

#include <string>

#include "common/bytes.h"
#include "common/ids.h"
#include "common/sqlite/sqlite.h"

namespace meridian::checkpoint {

inline constexpr int kBusyTimeoutMs = 10'000;
inline constexpr const char* kFileName = "checkpoints.db";

// Path of the database in `folder`, which is made when it is not there.
std::string database_in(const std::string& folder);
sqlite::OpenOptions database_options(const std::string& vfs);
// Waits for other workers, makes or checks the schema, and answers the connection.
sqlite::Database& prepared(sqlite::Database& db);

Bytes encode_table(const TableId& table);
TableId decode_table(BytesView bytes);

}  // namespace meridian::checkpoint
