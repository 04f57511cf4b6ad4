#include "checkpoint/sqlite_store.h"

namespace meridian::checkpoint {

SqliteCheckpointStore::SqliteCheckpointStore(const std::string& folder)
    : SqliteCheckpointStore(database_in(folder), {}) {}

SqliteCheckpointStore::SqliteCheckpointStore(const std::string& path, const std::string& vfs)
    : db_(path, database_options(vfs)),
      load_all_(prepared(db_), std::string("SELECT ") + kCheckpointColumns +
                                   " FROM checkpoints ORDER BY sink, table_id, shard"),
      load_(db_, std::string("SELECT ") + kCheckpointColumns +
                     " FROM checkpoints WHERE sink = ?1 AND table_id = ?2 AND shard = ?3"),
      save_(db_),
      forget_(db_, "DELETE FROM checkpoints WHERE sink = ?1 AND table_id = ?2 AND shard = ?3") {}

std::vector<Checkpoint> SqliteCheckpointStore::load_all() {
  std::vector<Checkpoint> out;
  auto rows = load_all_.run();
  while (rows.step()) out.push_back(checkpoint_at(rows));
  return out;
}

std::optional<Checkpoint> SqliteCheckpointStore::load(const CheckpointKey& key) {
  auto table = encode_table(key.table);
  auto row = load_.run(sqlite::Text{key.sink.name()}, table, key.shard.value);
  if (!row.step()) return std::nullopt;
  return checkpoint_at(row);
}

std::vector<Checkpoint> SqliteCheckpointStore::save_batch(
    const std::vector<Checkpoint>& checkpoints) {
  std::vector<Checkpoint> refused;
  sqlite::Transaction transaction(db_);
  for (const auto& checkpoint : checkpoints)
    if (!save_.save(checkpoint)) refused.push_back(checkpoint);
  transaction.commit();
  return refused;
}

void SqliteCheckpointStore::forget(const std::vector<CheckpointKey>& keys) {
  sqlite::Transaction transaction(db_);
  for (const auto& key : keys) {
    auto table = encode_table(key.table);
    forget_.execute(sqlite::Text{key.sink.name()}, table, key.shard.value);
  }
  transaction.commit();
}

}  // namespace meridian::checkpoint
