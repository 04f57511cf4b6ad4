// The file's format: names, SQL and version of everything that the store keeps.
//
// Per DynamoDB table, numbered N (numbers are never used twice):
//   item_N(id, key, version, context, seq, image)      current image; NULL is a tombstone; seq is that
//                                                      of the record that wrote it
//   log_N_S(seq, key, version, parent, context, prev_seq, committed_us, kind, flags,
//           local_records, local_bytes, old_image)     the change log of shard S; old_image is what the
//                                                      item was before
//   tombstones_N(version, id)                          the tombstones of item_N, oldest first
//   next_N_S(seq, by)                                  the record that overwrote record `seq`
// The conflict ledger is in `conflicts`, one row for each loser that is listed here, and `ledgers`, one
// row for each table.
// The new image of a record is the item's if item.seq is the record's, else old_image of the record
// that overwrote it: each image is stored once.
//
// Threads: the writer's connection, at open and inside transactions.
// Errors: StoreError for a file of another kind or a newer version; sqlite::SqliteError.
// Source: ADR 0001.
#pragma once

#include <cstdint>
#include <string>

#include "common/ids.h"
#include "common/sqlite/sqlite.h"
#include "region-node/store/store_options.h"

namespace meridian::store {

// 2: cursors; settings with a version each; the conflict ledger (empty in a file of format 1);
// watermarks, collections and the lists of tombstones; lives of replicas, and more states of them.
inline constexpr std::int64_t kFormatVersion = 2;
inline constexpr int kPageBytes = 8192;
inline constexpr const char* kBarrierName = "barrier";  // in the table meta

enum RecordKind : int { kPut = 1, kRemove = 2 };
enum RecordFlags : int { kInStream = 1, kLocalOrigin = 2 };

std::string item_table(std::int64_t number);
std::string tombstone_table(std::int64_t number);
std::string log_table(std::int64_t number, ShardId shard);
std::string next_table(std::int64_t number, ShardId shard);

// Whether the file is new.  Changes nothing.  Throws StoreError when it is not ours or too new.
bool check_format(sqlite::Database& db, const std::string& path);
// Sets the connection up as the one writer.
void configure_writer(sqlite::Database& db, const StoreOptions& options);
void configure_reader(sqlite::Database& db, const StoreOptions& options);
// Makes the tables that a new file begins with.
void create_schema(sqlite::Database& db);
[[nodiscard]] bool is_older_format(sqlite::Database& db);
// Brings a file of an older format up to date, in one transaction.
void migrate(sqlite::Database& db);
void create_table_storage(sqlite::Database& db, std::int64_t number, std::uint16_t shards);
void drop_table_storage(sqlite::Database& db, std::int64_t number, std::uint16_t shards);

}  // namespace meridian::store
