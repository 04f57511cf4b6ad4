// What the engine does for the conflict ledger, in the transaction that applies a record.
#include <algorithm>

#include "region-node/model/key.h"
#include "region-node/store/engine.h"
#include "region-node/store/ledger_switch.h"

namespace meridian::store {
namespace {

// Of a write whose record is not at hand: when it was made, as far as its version tells.
std::int64_t committed_us_of(const conflict::Version& version) {
  return version.hlc.physical_ms() * 1000;
}

// A row of backfill or repair does not know when it was committed.
std::int64_t committed_us_of(const rpc::ChangeRecord& record) {
  return record.committed_us != 0 ? record.committed_us : committed_us_of(record.version);
}

}  // namespace

void Engine::withdraw_seen(const TableState& table, const rpc::ChangeRecord& record) {
  if (!keeps_ledger(options_)) return;
  auto seen = conflict::withdrawn_by(options_.region, record.context);
  if (seen) ledger_->withdraw(table, record.key, *seen);
}

void Engine::list_stored(const TableState& table, const StoredItem& stored,
                         const rpc::ChangeRecord& record) {
  if (!keeps_ledger(options_) || !conflict::lists_stored(stored.version, record.context)) return;
  // What was built on it came before, and is in quarantine.
  if (table.parked > 0 && flows_->parked_covers(table, record.key, stored.version)) return;
  context_scratch_ = record.context.encode();
  LedgerStore::Side loser{stored.version, stored.context_bytes, committed_us_of(stored.version),
                          stored.image};
  ShardId shard = model::shard_of(table.info->keys, record.key, table.info->shards);
  if (stored.version.region == options_.region)
    if (auto committed_us = items_->committed_us(table, shard, stored.sequence))
      loser.committed_us = *committed_us;
  LedgerStore::Side winner{record.version, context_scratch_, committed_us_of(record), {}};
  if (record.new_image) winner.image = *record.new_image;
  list(table, record.key, loser, winner);
}

void Engine::list_incoming(const TableState& table, const StoredItem& stored,
                           const rpc::ChangeRecord& record) {
  if (!keeps_ledger(options_)) return;
  auto known = conflict::Context::decode(stored.context_bytes);
  if (!known) sqlite::damaged("the context of an item");
  if (!conflict::lists_incoming(options_.region, record.version, *known)) return;
  context_scratch_ = record.context.encode();
  LedgerStore::Side loser{record.version, context_scratch_, committed_us_of(record), {}};
  if (record.new_image) loser.image = *record.new_image;
  LedgerStore::Side winner{stored.version, stored.context_bytes, committed_us_of(stored.version),
                           stored.image};
  list(table, record.key, loser, winner);
}

void Engine::list(const TableState& table, BytesView key, const LedgerStore::Side& loser,
                  const LedgerStore::Side& winner) {
  if (!ledger_->list(table, key, loser, winner, now_us_)) return;
  auto& counted = health_.conflicts;
  auto at = std::ranges::lower_bound(counted, table.info->id, {}, &TableConflicts::table);
  if (at == counted.end() || at->table != table.info->id)
    at = counted.insert(at, {.table = table.info->id});
  if (loser.version.region == options_.region) {
    ++health_.conflicts_lost_here;
    ++at->lost_here;
  } else {
    ++health_.conflicts_lost_elsewhere;
    ++at->lost_elsewhere;
  }
}

}  // namespace meridian::store
