// Rows that come outside of any flow, for backfill and repair.  They pass the same rule as a flow's
// records, in the same writer, and become records that are never shipped.
#include <algorithm>

#include "region-node/store/cursors.h"
#include "region-node/store/engine.h"

namespace meridian::store {
namespace {

using rpc::ApplyStatus;

bool well_formed(const rpc::RowsBatch& batch) {
  if (batch.rows.size() > rpc::kRowsMax) return false;
  if (batch.cursor && (batch.cursor->name.empty() || batch.cursor->name == kRowsEpoch ||
                       batch.cursor->name == kUnsettled))
    return false;
  BytesView before;
  for (const auto& row : batch.rows) {
    if (row.key <= before) return false;
    before = row.key;
  }
  return true;
}

rpc::ChangeRecord record_of(rpc::Row& row) {
  rpc::ChangeRecord record;
  record.key = std::move(row.key);
  record.version = row.version;
  record.context = std::move(row.context);
  record.new_image = std::move(row.image);
  return record;
}

}  // namespace

std::optional<ApplyStatus> Engine::refuses_rows(const TableState& table,
                                                const rpc::RowsBatch& batch) const {
  if (batch.source == options_.region || !well_formed(batch)) return ApplyStatus::invalid;
  if (!table.info->has_replica(batch.source) || !table.info->has_replica(options_.region))
    return ApplyStatus::not_member;
  return std::nullopt;
}

rpc::RowsOutcome Engine::apply_rows(rpc::RowsBatch& batch) {
  rpc::RowsOutcome outcome;
  TableState* table = state_.find(batch.table);
  if (table == nullptr) {
    outcome.status = ApplyStatus::no_such_table;
    return outcome;
  }
  if (batch.cursor) {
    if (auto at = table->cursors.find(batch.cursor->name); at != table->cursors.end())
      outcome.cursor = at->second;
  }
  if (auto refused = refuses_rows(*table, batch)) {
    outcome.status = *refused;
    return outcome;
  }
  if (batch.cursor && outcome.cursor != batch.cursor->from) {
    outcome.status = ApplyStatus::wrong_position;
    return outcome;
  }
  outcome.retry_ms = hold_rows(batch);
  if (outcome.retry_ms > 0) {
    outcome.status = ApplyStatus::held;
    outcome.clock_ahead_ms = outcome.retry_ms + guard_.drift_ms_max();
    return outcome;
  }
  if (table->parked + batch.rows.size() > kParkedMax) return outcome;  // unavailable

  begin();
  const std::uint64_t applied = health_.records_applied;
  const std::uint64_t parked = health_.records_parked;
  for (auto& row : batch.rows) {
    const rpc::FlowId from{batch.table, ShardId(0), row.version.region};  // if it must be parked
    apply_record(*table, from, record_of(row), table->collected);
  }
  outcome.applied = health_.records_applied - applied;
  outcome.parked = health_.records_parked - parked;
  if (outcome.applied > 0)
    change_epoch(*table);
  if (batch.cursor) {
    flows_->save_cursor(*table, batch.cursor->name, batch.cursor->to);
    outcome.cursor = batch.cursor->to;
  }
  outcome.status = ApplyStatus::applied;
  return outcome;
}

// (Drawn, not counted: a restored store would come to the same numbers again.)
void Engine::change_epoch(TableState& table) {
  flows_->save_cursor(table, kRowsEpoch, rows_epoch_bytes(rng_.next()));
}

}  // namespace meridian::store
