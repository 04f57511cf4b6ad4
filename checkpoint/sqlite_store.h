// SqliteCheckpointStore: checkpoints in one small database that all workers of a region share.
//
// The hash in a row is of all the others: a damaged row is noticed, for it would let records be trimmed
// too soon.
// Source: layout in schema.h.
//
// Threads: one at a time per object.  Owns: a connection.
// Errors: sqlite::SqliteError, with is_damage() when the database is damaged (open.h does without it);
// std::runtime_error when the database is of a newer format or its folder
// cannot be made.
// Limits: kBusyTimeoutMs to wait for another worker.
#pragma once

#include <string>

#include "checkpoint/rows.h"
#include "checkpoint/schema.h"
#include "checkpoint/store.h"
#include "common/sqlite/sqlite.h"

namespace meridian::checkpoint {

class SqliteCheckpointStore final : public CheckpointStore {
 public:
  // Makes `folder` and the database in it when they are not there.
  explicit SqliteCheckpointStore(const std::string& folder);
  // `path` of the database in a SQLite file system of this process, by the name of that.
  SqliteCheckpointStore(const std::string& path, const std::string& vfs);

  std::vector<Checkpoint> load_all() override;
  std::optional<Checkpoint> load(const CheckpointKey& key) override;
  std::vector<Checkpoint> save_batch(const std::vector<Checkpoint>& checkpoints) override;
  void forget(const std::vector<CheckpointKey>& keys) override;

 private:
  sqlite::Database db_;
  sqlite::Statement load_all_;
  sqlite::Statement load_;
  CheckpointSave save_;
  sqlite::Statement forget_;
};

}  // namespace meridian::checkpoint
