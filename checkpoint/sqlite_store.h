// SqliteCheckpointStore: checkpoints in one small database that all workers of a region share.
//
// journal_mode=DELETE, because several processes write it, and WAL with several writers is not safe in
// the SQLite releases that we build against (ADR 0003).  synchronous=NORMAL: a power cut may lose the
// newest saves, which costs one question per flow; the death of a process loses nothing.
//
// Table checkpoints, primary key (sink, table_id, shard), WITHOUT ROWID:
//   sink TEXT, table_id BLOB (16 bytes, big-endian), shard, start_id, sequence, updated_ms, hash INTEGER
// The hash is of all the others: a damaged row is noticed, for it would let records be trimmed too soon.
//
// Threads: one at a time per object.  Owns: a connection.
// Errors: sqlite::SqliteError, with is_damage() when the database is damaged (open.h does without it);
// std::runtime_error when the database is of a newer format or its folder
// cannot be made.
// Limits: kBusyTimeoutMs to wait for another worker.
#pragma once

#include <string>

#include "checkpoint/store.h"
#include "common/sqlite/sqlite.h"

namespace meridian::checkpoint {

class SqliteCheckpointStore final : public CheckpointStore {
 public:
  static constexpr int kBusyTimeoutMs = 10'000;
  static constexpr const char* kFileName = "checkpoints.db";

  // Makes `folder` and the database in it when they are not there.
  explicit SqliteCheckpointStore(const std::string& folder);
  // `path` of the database in a SQLite file system of this process, by the name of that.
  SqliteCheckpointStore(const std::string& path, const std::string& vfs);

  std::vector<Checkpoint> load_all() override;
  std::optional<Checkpoint> load(const CheckpointKey& key) override;
  std::vector<Checkpoint> save_batch(const std::vector<Checkpoint>& checkpoints) override;
  void forget(const std::vector<CheckpointKey>& keys) override;

 private:
  // Waits for other workers, makes or checks the schema, and answers its connection.
  sqlite::Database& prepared();

  sqlite::Database db_;
  sqlite::Statement load_all_;
  sqlite::Statement load_;
  sqlite::Statement save_;
  sqlite::Statement forget_;
};

}  // namespace meridian::checkpoint
