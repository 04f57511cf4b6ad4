// What the writer does beside its groups, in small steps inside their transactions: trims logs, rolls
// streams over, purges dropped tables, and looks whether a full disk has room again.
#include <algorithm>

#include "region-node/store/engine.h"
#include "region-node/store/schema.h"

namespace meridian::store {
namespace {

constexpr std::size_t kTrimLogsMax = 8;  // of which as much as may be is deleted in one step

}  // namespace

void Engine::upkeep() {
  std::int64_t now_ms = clock_.monotonic_ms();
  bool due = now_ms >= upkeep_at_ms_;
  if (!due && (!upkeep_left_ || full_)) return;
  if (due) upkeep_at_ms_ = now_ms + options_.maintenance_ms;
  if (full_ && !db_->in_transaction()) probe_disk();
  // Watermarks that no commit has taken along meanwhile.
  if (due && watermarks_dirty_) begin();
  // Ages mean nothing while the wall clock is not trusted.
  if (guard_.state() == conflict::ClockGuard::State::stepped) {
    upkeep_left_ = false;
    return;
  }
  if (due) forget_releases();
  if (due)
    for (auto& [id, table] : state_.tables) upkeep_streams(table);
  bool more = trim_logs();
  more |= purge_dropped();
  upkeep_left_ = more;
}

// Writes something of the size of a small group; a disk that is still full throws.
void Engine::probe_disk() {
  begin();
  db_->execute("INSERT OR REPLACE INTO probe(id, pad) VALUES(1, zeroblob(262144))");
}

void Engine::upkeep_streams(TableState& table) {
  if (table.info->streams.empty()) return;
  TableInfo info = *table.info;
  bool changed = roll_over(info, ends_of(table), guard_.believed_ms(), options_.stream_rollover_ms);
  changed |= forget_closed(info, guard_.believed_ms(), options_.retention_ms);
  // A catalog change is never refused, so there is no result to look at.
  if (changed) (void)save_info(table, std::move(info));
}

// Once around all logs from where the last step ended, or up to its bound: clients wait meanwhile.
// Answers whether there may be more.
bool Engine::trim_logs() {
  std::vector<std::pair<TableId, std::uint16_t>> logs;
  for (const auto& [id, table] : state_.tables)
    for (std::uint16_t i = 0; i < table.info->shards; ++i) logs.emplace_back(id, i);
  std::rotate(logs.begin(), std::lower_bound(logs.begin(), logs.end(), trim_next_), logs.end());
  bool more = false;
  std::uint64_t deleted = 0;
  for (const auto& log : logs) {
    trim_next_ = log;
    if (deleted >= kTrimLogsMax * options_.trim_records_max) return true;
    const std::uint64_t of_log = trim(*state_.find(log.first), ShardId(log.second));
    more |= of_log >= options_.trim_records_max;
    deleted += of_log;
  }
  return more;
}

// Deletes a step of records that are old enough and that every peer has, but for those that were cut
// loose.  Answers how many.
std::uint64_t Engine::trim(TableState& table, ShardId shard_id) {
  ShardState& shard = table.shard(shard_id);
  Sequence limit = shard.history.end;
  for (const auto& peer : table.holders)
    limit = std::min(limit, table.acknowledged(peer, shard_id).sequence);
  if (limit <= shard.history.trimmed_to) return 0;

  std::int64_t old_us = now_us_ - options_.retention_ms * 1000;
  if (shard.oldest_us && *shard.oldest_us >= old_us) return 0;
  Sequence cut = shard.history.trimmed_to;
  LocalCounts counts;
  {
    sqlite::Statement old(*db_, "SELECT seq, committed_us, local_records, local_bytes FROM " +
                                    log_table(table.number, shard_id) +
                                    " WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3");
    sqlite::Query row =
        old.run(cut.value, limit.value, static_cast<std::int64_t>(options_.trim_records_max));
    while (row.step()) {
      shard.oldest_us = row.int64(1);
      if (*shard.oldest_us >= old_us) break;
      cut = Sequence(row.uint64(0));
      counts = {row.uint64(2), row.uint64(3)};
      shard.oldest_us.reset();  // of the next record, which the step may not reach
    }
  }
  if (cut == shard.history.trimmed_to) return 0;

  begin();
  std::uint64_t deleted = cut.value - shard.history.trimmed_to.value;
  for (const std::string& from :
       {log_table(table.number, shard_id), next_table(table.number, shard_id)}) {
    sqlite::Statement erase(*db_, "DELETE FROM " + from + " WHERE seq <= ?1");
    erase.execute(cut.value);
  }
  shard.history.trimmed_to = cut;
  shard.trimmed_counts = counts;
  catalog_->save_trim(table, shard_id);

  // A position just before the oldest record is still good, so the stretch that holds it stays.
  auto& stretches = shard.history.stretches;
  auto keep = stretches.begin();
  while (keep + 1 != stretches.end() && (keep + 1)->first <= cut) ++keep;
  if (keep != stretches.begin()) {
    catalog_->prune_history(table, shard_id, keep->first);
    stretches.erase(stretches.begin(), keep);
  }
  return deleted;
}

// Empties dropped tables step by step, then drops their SQL tables: one DROP of a large table would
// hold the writer for as long as it takes to free its pages.
bool Engine::purge_dropped() {
  if (state_.dropped.empty()) return false;
  auto [number, shards] = state_.dropped.front();
  begin();
  auto left = static_cast<std::int64_t>(options_.trim_records_max);
  auto empty = [&](const std::string& table, const char* id) {
    db_->execute("DELETE FROM " + table + " WHERE " + id + " IN (SELECT " + id + " FROM " + table +
                 " LIMIT " + std::to_string(left) + ")");
    left -= db_->changes();
  };
  empty(item_table(number), "id");
  if (left > 0) empty(tombstone_table(number), "version");
  for (std::uint16_t i = 0; i < shards && left > 0; ++i) {
    empty(log_table(number, ShardId(i)), "seq");
    if (left > 0) empty(next_table(number, ShardId(i)), "seq");
  }
  if (left > 0)
    left -= static_cast<std::int64_t>(ledger_->purge(number, static_cast<std::size_t>(left)));
  if (left <= 0) return true;
  ledger_->forget_table(number);
  items_->forget_statements();
  drop_table_storage(*db_, number, shards);
  db_->execute("DELETE FROM dropped WHERE number = " + std::to_string(number));
  state_.dropped.erase(state_.dropped.begin());
  return !state_.dropped.empty();
}

}  // namespace meridian::store
