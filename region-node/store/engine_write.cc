#include "conflict/absence.h"
#include "region-node/model/key.h"
#include "region-node/store/engine.h"
#include "region-node/store/schema.h"

namespace meridian::store {

std::optional<WriteStatus> Engine::refuses_write(const TableState& table) const {
  if (!table.info->serves(options_.region)) return WriteStatus::no_such_table;
  if (guard_.state() == conflict::ClockGuard::State::stepped) return WriteStatus::clock_refused;
  // What would be minted lies beyond the bound, so every peer would hold it.
  if (guard_.hold_ms(hlc_.last().next())) return WriteStatus::clock_refused;
  // A region that lost what it had written speaks again once its peers have told it what that was.
  if (table.info->frozen()) return WriteStatus::unavailable;
  return std::nullopt;
}

WriteResult Engine::write_item(TableState& table, const ItemWrite& write) {
  const BytesView key = write.key;
  if (auto refused = refuses_write(table)) return {*refused, {}};
  if (table.local_bytes - table.acknowledged_bytes >= options_.unacknowledged_bytes_max)
    cut_loose(table);
  // Before anything is read: whoever begins to write while a row is still open for reading is not made
  // to wait for another connection's lock, but refused at once.
  begin();
  auto stored = items_->find(table, key);
  // An absent key counts as a tombstone of the version up to which they are collected.
  const conflict::Hlc replaced = stored ? stored->version.hlc : table.collected;
  if (guard_.hold_ms(replaced)) return {WriteStatus::clock_refused, {}};

  if (write.if_version && *write.if_version != (stored ? stored->version : conflict::Version{}))
    return {WriteStatus::version_changed, stored ? stored->version : conflict::Version{}};

  std::optional<BytesView> current;
  if (stored) current = stored->image;
  Verdict verdict = write.mutation->evaluate(current);
  if (verdict.kind == Verdict::Kind::reject) return {WriteStatus::rejected, {}};

  std::optional<BytesView> image;
  if (verdict.kind == Verdict::Kind::put) image = verdict.image;
  bool unchanged = image == current;
  if (unchanged && table.peers.empty())
    return {WriteStatus::committed, stored ? stored->version : conflict::Version{}};

  conflict::Version version{hlc_.mint(guard_.believed_ms(), replaced), options_.region};
  conflict::Context context = conflict::context_of_absence(table.collected);
  std::optional<BytesView> parent;
  if (stored) {
    auto known = conflict::Context::decode(stored->context_bytes);
    if (!known) sqlite::damaged("the context of an item");
    context = known->extended_by(stored->version);
    parent = stored->version_bytes;
  }
  context_scratch_ = context.encode();
  ItemChange change{model::shard_of(table.info->keys, key, table.info->shards),
                    key,
                    version,
                    parent,
                    context_scratch_,
                    image,
                    now_us_,
                    kLocalOrigin | (unchanged ? 0 : kInStream)};
  append(table, std::move(stored), change);
  ++health_.writes_committed;
  return {WriteStatus::committed, version};
}

// Its figures are stored and its log's ends told with the commit.
void Engine::touch(TableState& table) {
  if (!table.stats_dirty) dirty_.push_back(table.info->id);
  table.stats_dirty = true;
}

void Engine::append(TableState& table, std::optional<StoredItem> stored, const ItemChange& change) {
  LogHistory& history = table.shard(change.shard).history;
  if (history.stretches.empty() || history.stretches.back().start != start_) {
    Stretch stretch{start_, history.end.next()};
    catalog_->add_stretch(table, change.shard, stretch);
    history.stretches.push_back(stretch);
  }
  touch(table);
  items_->write(table, std::move(stored), change);
  if (table.parked > 0) flows_->retire(table, change.key, change.version);
}

}  // namespace meridian::store
