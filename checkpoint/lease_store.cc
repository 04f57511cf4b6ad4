#include "checkpoint/lease_store.h"

#include "checkpoint/rows.h"
#include "checkpoint/schema.h"

namespace meridian::checkpoint {

using sqlite::Query;
using sqlite::Statement;
using sqlite::Text;
using sqlite::Transaction;

LeaseStore::LeaseStore(const std::string& folder) : LeaseStore(database_in(folder), {}) {}

LeaseStore::LeaseStore(const std::string& path, const std::string& vfs)
    : db_(path, database_options(vfs)),
      load_(prepared(db_),
            "SELECT table_id, shard, owner, token, counter, wanted FROM leases"
            " ORDER BY table_id, shard"),
      renew_(db_,
             "UPDATE leases SET counter = counter + 1"
             " WHERE table_id = ?1 AND shard = ?2 AND owner = ?3 AND token = ?4"),
      refuse_(db_,
              "UPDATE leases SET wanted = ''"
              " WHERE table_id = ?1 AND shard = ?2 AND owner = ?3 AND token = ?4"),
      want_(db_,
            "UPDATE leases SET wanted = ?5 WHERE table_id = ?1 AND shard = ?2"
            " AND owner = ?3 AND token = ?4 AND wanted = ''"),
      take_(db_,
            "UPDATE leases SET owner = ?5, token = ?6, counter = counter + 1, wanted = ''"
            " WHERE table_id = ?1 AND shard = ?2 AND owner = ?3 AND token = ?4"
            " AND counter = ?7") {}

std::vector<Lease> LeaseStore::load() {
  std::vector<Lease> out;
  for (Query row = load_.run(); row.step();) {
    Lease lease;
    lease.key = {decode_table(row.blob(0)), ShardId(static_cast<std::uint16_t>(row.int64(1)))};
    lease.owner = row.text(2);
    lease.token = row.uint64(3);
    lease.counter = row.uint64(4);
    lease.wanted = row.text(5);
    out.push_back(std::move(lease));
  }
  return out;
}

void LeaseStore::settle(const std::set<LeaseKey>& shards) {
  Transaction transaction(db_);
  Statement erase(db_, "DELETE FROM leases WHERE table_id = ?1 AND shard = ?2");
  for (const auto& lease : load())
    if (!shards.contains(lease.key)) {
      Bytes table = encode_table(lease.key.table);
      erase.execute(table, lease.key.shard.value);
    }
  Statement insert(db_,
                   "INSERT OR IGNORE INTO leases(table_id, shard, owner, token, counter, wanted)"
                   " VALUES(?1, ?2, '', 0, 0, '')");
  for (const auto& key : shards) {
    Bytes table = encode_table(key.table);
    insert.execute(table, key.shard.value);
  }
  transaction.commit();
}

// Over all rows, so that a row which was taken out and made again repeats none.
std::uint64_t LeaseStore::next_token() {
  auto token = db_.query_int64("SELECT next FROM fence");
  if (!token || *token < 1) sqlite::damaged("the fencing token of leases");
  db_.execute("UPDATE fence SET next = next + 1");
  return static_cast<std::uint64_t>(*token);
}

std::map<LeaseKey, std::uint64_t> LeaseStore::carry_out(const LeasePlan& plan,
                                                        const std::string& worker) {
  std::map<LeaseKey, std::uint64_t> taken;
  bool nothing = plan.renew.empty() && plan.refuse.empty() && plan.take.empty() &&
                 plan.want.empty() && plan.hand_over.empty();
  if (nothing) return taken;
  Transaction transaction(db_);
  for (const auto* renewed : {&plan.renew, &plan.refuse, &plan.hand_over})
    for (const auto& row : *renewed) {
      Bytes table = encode_table(row.key.table);
      renew_.execute(table, row.key.shard.value, Text{worker}, row.token);
    }
  for (const auto& row : plan.refuse) {
    Bytes table = encode_table(row.key.table);
    refuse_.execute(table, row.key.shard.value, Text{worker}, row.token);
  }
  for (const auto& row : plan.want) {
    Bytes table = encode_table(row.key.table);
    want_.execute(table, row.key.shard.value, Text{row.owner}, row.token, Text{worker});
  }
  for (const auto& row : plan.take) {
    Bytes table = encode_table(row.key.table);
    std::uint64_t token = next_token();
    take_.execute(table, row.key.shard.value, Text{row.owner}, row.token, Text{worker}, token,
                  row.counter);
    if (db_.changes() > 0) taken[row.key] = token;
  }
  transaction.commit();
  return taken;
}

std::vector<Checkpoint> LeaseStore::checkpoints_of(const LeaseKey& key) {
  std::vector<Checkpoint> out;
  Statement select(db_, std::string("SELECT ") + kCheckpointColumns +
                            " FROM checkpoints WHERE table_id = ?1 AND shard = ?2");
  Bytes table = encode_table(key.table);
  for (Query row = select.run(table, key.shard.value); row.step();)
    out.push_back(checkpoint_at(row));
  return out;
}

void LeaseStore::let_go(const LeaseKey& key, std::uint64_t token,
                        const std::vector<Checkpoint>& checkpoints) {
  Transaction transaction(db_);
  CheckpointSave save(db_);
  for (auto checkpoint : checkpoints) {
    checkpoint.token = token;
    save.save(checkpoint);
  }
  Statement release(db_,
                    "UPDATE leases SET owner = '', counter = counter + 1"
                    " WHERE table_id = ?1 AND shard = ?2 AND token = ?3");
  Bytes table = encode_table(key.table);
  release.execute(table, key.shard.value, token);
  transaction.commit();
}

}  // namespace meridian::checkpoint
