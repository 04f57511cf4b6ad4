// LeaseStore: the table in which the workers of a region meet (lease.h), beside their checkpoints.
//
// Every change is conditional on what was read, so that of two workers which want the same one gets it.
// Threads: one at a time per object; several objects, also in several processes, may share one database.
// Errors: sqlite::SqliteError; nothing is changed then.
// Limits: kBusyTimeoutMs to wait for another worker.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/lease.h"
#include "common/sqlite/sqlite.h"

namespace meridian::checkpoint {

class LeaseStore {
 public:
  // As SqliteCheckpointStore's, whose file it is.
  explicit LeaseStore(const std::string& folder);
  LeaseStore(const std::string& path, const std::string& vfs);

  std::vector<Lease> load();
  // Makes rows for shards that have none, and takes out those of others.
  void settle(const std::set<LeaseKey>& shards);
  // Carries out what a plan says of the table, all or nothing: renewals, refusals, wishes and takings.
  // Answers the tokens of what was taken.
  std::map<LeaseKey, std::uint64_t> carry_out(const LeasePlan& plan, const std::string& worker);
  // What flows of a shard have reached, as far as it is saved.
  std::vector<Checkpoint> checkpoints_of(const LeaseKey& key);
  // Saves how far the flows of a shard have got and lets go of it, for whoever has asked for it.
  // Nothing happens when it is no longer held with that token.
  void let_go(const LeaseKey& key, std::uint64_t token, const std::vector<Checkpoint>& checkpoints);

 private:
  std::uint64_t next_token();

  sqlite::Database db_;
  // Prepared once: workers look and renew all the time.
  sqlite::Statement load_;
  sqlite::Statement renew_;
  sqlite::Statement refuse_;
  sqlite::Statement want_;
  sqlite::Statement take_;
};

}  // namespace meridian::checkpoint
