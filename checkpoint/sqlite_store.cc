#include "checkpoint/sqlite_store.h"

#include <filesystem>
#include <stdexcept>

namespace meridian::checkpoint {
namespace {

constexpr std::int64_t kFormat = 2;

constexpr const char* kSchema =
    "CREATE TABLE checkpoints("
    "  sink TEXT NOT NULL, table_id BLOB NOT NULL, shard INTEGER NOT NULL,"
    "  start_id INTEGER NOT NULL, sequence INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    "  hash INTEGER NOT NULL, PRIMARY KEY(sink, table_id, shard)) STRICT, WITHOUT ROWID";

// Changes nothing when the checkpoint would move back.
constexpr const char* kSave =
    "INSERT INTO checkpoints(sink, table_id, shard, start_id, sequence, updated_ms, hash)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    " ON CONFLICT(sink, table_id, shard) DO UPDATE SET start_id = excluded.start_id,"
    " sequence = excluded.sequence, updated_ms = excluded.updated_ms,"
    " hash = excluded.hash WHERE excluded.start_id <> start_id OR excluded.sequence >= sequence";

std::string made(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure)
    throw std::runtime_error("cannot make the checkpoint folder " + folder + ": " +
                             failure.message());
  return (std::filesystem::path(folder) / SqliteCheckpointStore::kFileName).string();
}

Bytes table_key(const TableId& table) {
  Bytes out;
  put_u64(out, table.high);
  put_u64(out, table.low);
  return out;
}

// Of all that a row says.  A position that a damaged disk has moved ahead, and that is still a
// position, would let the node trim records which the sink never got.
std::uint64_t hash_of(const Checkpoint& checkpoint) {
  Bytes row(checkpoint.key.sink.name());
  row.push_back(0);
  row += table_key(checkpoint.key.table);
  put_u64(row, checkpoint.key.shard.value);
  put_u64(row, checkpoint.position.start.value);
  put_u64(row, checkpoint.position.sequence.value);
  put_u64(row, static_cast<std::uint64_t>(checkpoint.updated_ms));
  return hash64(row);
}

Checkpoint checkpoint_of(const sqlite::Query& row) {
  Checkpoint out;
  auto sink = RegionId::parse(row.text(0));
  BytesView id = row.blob(1);
  auto high = take_u64(id);
  auto low = take_u64(id);
  if (!sink || !high || !low) sqlite::damaged("a checkpoint");
  out.key = {*sink, {*high, *low}, ShardId(static_cast<std::uint16_t>(row.int64(2)))};
  out.position = {StartId(row.uint64(3)), Sequence(row.uint64(4))};
  out.updated_ms = row.int64(5);
  if (row.uint64(6) != hash_of(out)) sqlite::damaged("a checkpoint");
  return out;
}

}  // namespace

SqliteCheckpointStore::SqliteCheckpointStore(const std::string& folder)
    : SqliteCheckpointStore(made(folder), {}) {}

SqliteCheckpointStore::SqliteCheckpointStore(const std::string& path, const std::string& vfs)
    : db_(path, {.mode = sqlite::OpenMode::create, .vfs = vfs, .busy_timeout_ms = kBusyTimeoutMs}),
      load_all_(prepared(),
                "SELECT sink, table_id, shard, start_id, sequence, updated_ms, hash"
                " FROM checkpoints ORDER BY sink, table_id, shard"),
      load_(db_,
            "SELECT sink, table_id, shard, start_id, sequence, updated_ms, hash"
            " FROM checkpoints WHERE sink = ?1 AND table_id = ?2 AND shard = ?3"),
      save_(db_, kSave),
      forget_(db_, "DELETE FROM checkpoints WHERE sink = ?1 AND table_id = ?2 AND shard = ?3") {}

sqlite::Database& SqliteCheckpointStore::prepared() {
  db_.execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = NORMAL");
  // It is small, and whoever opens it may be able to do without it.
  if (db_.query_text("PRAGMA quick_check(1)") != "ok") sqlite::damaged("the checkpoint database");
  auto format = [this] { return db_.query_int64("PRAGMA user_version").value_or(0); };
  if (format() > kFormat)
    throw std::runtime_error(
        "the checkpoint database is of a newer format than this program knows");
  if (format() < kFormat) {
    sqlite::Transaction transaction(db_);
    if (format() < kFormat) {  // else another worker was faster
      // What an older format held costs one question per flow.
      db_.execute("DROP TABLE IF EXISTS checkpoints");
      db_.execute(kSchema);
      db_.execute("PRAGMA user_version = " + std::to_string(kFormat));
    }
    transaction.commit();
  }
  return db_;
}

std::vector<Checkpoint> SqliteCheckpointStore::load_all() {
  std::vector<Checkpoint> out;
  auto rows = load_all_.run();
  while (rows.step()) out.push_back(checkpoint_of(rows));
  return out;
}

std::optional<Checkpoint> SqliteCheckpointStore::load(const CheckpointKey& key) {
  auto table = table_key(key.table);
  auto row = load_.run(sqlite::Text{key.sink.name()}, table, key.shard.value);
  if (!row.step()) return std::nullopt;
  return checkpoint_of(row);
}

std::vector<Checkpoint> SqliteCheckpointStore::save_batch(
    const std::vector<Checkpoint>& checkpoints) {
  std::vector<Checkpoint> refused;
  sqlite::Transaction transaction(db_);
  for (const auto& checkpoint : checkpoints) {
    auto table = table_key(checkpoint.key.table);
    save_.execute(sqlite::Text{checkpoint.key.sink.name()}, table, checkpoint.key.shard.value,
                  checkpoint.position.start.value, checkpoint.position.sequence.value,
                  checkpoint.updated_ms, hash_of(checkpoint));
    if (db_.changes() == 0) refused.push_back(checkpoint);
  }
  transaction.commit();
  return refused;
}

void SqliteCheckpointStore::forget(const std::vector<CheckpointKey>& keys) {
  sqlite::Transaction transaction(db_);
  for (const auto& key : keys) {
    auto table = table_key(key.table);
    forget_.execute(sqlite::Text{key.sink.name()}, table, key.shard.value);
  }
  transaction.commit();
}

}  // namespace meridian::checkpoint
