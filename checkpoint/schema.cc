#include "checkpoint/schema.h"

#include <filesystem>
#include <stdexcept>

namespace meridian::checkpoint {
namespace {

// 2: rows have a hash.  3: leases.
constexpr std::int64_t kFormat = 3;
constexpr std::int64_t kHashedFormat = 2;

constexpr const char* kCheckpoints =
    "CREATE TABLE checkpoints("
    "  sink TEXT NOT NULL, table_id BLOB NOT NULL, shard INTEGER NOT NULL,"
    "  start_id INTEGER NOT NULL, sequence INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    "  hash INTEGER NOT NULL, PRIMARY KEY(sink, table_id, shard)) STRICT, WITHOUT ROWID";
constexpr const char* kLeases =
    "CREATE TABLE leases("
    "  table_id BLOB NOT NULL, shard INTEGER NOT NULL, owner TEXT NOT NULL, token INTEGER NOT NULL,"
    "  counter INTEGER NOT NULL, wanted TEXT NOT NULL, PRIMARY KEY(table_id, shard))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE fence(next INTEGER NOT NULL) STRICT;"
    "INSERT INTO fence(next) VALUES(1)";

}  // namespace

std::string database_in(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure)
    throw std::runtime_error("cannot make the checkpoint folder " + folder + ": " +
                             failure.message());
  return (std::filesystem::path(folder) / kFileName).string();
}

sqlite::OpenOptions database_options(const std::string& vfs) {
  return {.mode = sqlite::OpenMode::create, .vfs = vfs, .busy_timeout_ms = kBusyTimeoutMs};
}

sqlite::Database& prepared(sqlite::Database& db) {
  db.execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = NORMAL");
  // It is small, and whoever opens it may be able to do without it.
  if (db.query_text("PRAGMA quick_check(1)") != "ok") sqlite::damaged("the checkpoint database");
  auto format = [&db] { return db.query_int64("PRAGMA user_version").value_or(0); };
  if (format() > kFormat)
    throw std::runtime_error(
        "the checkpoint database is of a newer format than this program knows");
  if (format() == kFormat) return db;
  sqlite::Transaction transaction(db);
  auto found = format();
  if (found < kHashedFormat) {
    // What an older format held costs one question per flow.
    db.execute("DROP TABLE IF EXISTS checkpoints");
    db.execute(kCheckpoints);
  }
  if (found < kFormat) {  // else another worker was faster
    db.execute(kLeases);
    db.execute("PRAGMA user_version = " + std::to_string(kFormat));
  }
  transaction.commit();
  return db;
}

Bytes encode_table(const TableId& table) {
  Bytes out;
  put_u64(out, table.high);
  put_u64(out, table.low);
  return out;
}

TableId decode_table(BytesView bytes) {
  auto high = take_u64(bytes);
  auto low = take_u64(bytes);
  if (!high || !low || !bytes.empty()) sqlite::damaged("the id of a table in a checkpoint");
  return {*high, *low};
}

}  // namespace meridian::checkpoint
