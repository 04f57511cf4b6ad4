// The engine and clocks that disagree: its own against monotonic time, its own against what it minted
// before, and versions from elsewhere against its own.
#include <algorithm>

#include "region-node/store/engine.h"

namespace meridian::store {

void Engine::sample_clock() {
  now_us_ = clock_.wall_us();
  guard_.sample(now_us_ / 1000, clock_.monotonic_ms());
  health_.clock_stepped = guard_.state() == conflict::ClockGuard::State::stepped;
  health_.clock_step_ms = guard_.step_ms();
}

// The ceiling lies up to a step above the newest version, so the step is given away.
void Engine::refuse_old_clock() const {
  std::int64_t newest_ms =
      hlc_.last().physical_ms() - conflict::HybridClock::kCeilingStepMs;
  std::int64_t behind_ms = newest_ms - guard_.believed_ms();
  if (options_.accept_old_clock || behind_ms <= guard_.drift_ms_max()) return;
  throw ClockBehind(
      "the wall clock is " + std::to_string(behind_ms) +
      " ms behind the newest version in " + path_ + ", more than the bound of " +
      std::to_string(guard_.drift_ms_max()) +
      " ms: put the clock right; or, if it is right now and was ahead before, start with"
      " --accept-old-clock true (client writes are then refused until it has come that far)");
}

bool Engine::held(const conflict::Version& version) const {
  if (!guard_.hold_ms(version.hlc)) return false;
  auto released = released_.find(version.region);
  return released == released_.end() || version.hlc > released->second;
}

void Engine::hold(const rpc::ReplicationBatch& batch, rpc::ApplyOutcome& outcome) {
  conflict::Hlc furthest;
  for (const auto& record : batch.records)
    if (held(record.version)) furthest = std::max(furthest, record.version.hlc);
  outcome.status = rpc::ApplyStatus::held;
  outcome.retry_ms = guard_.hold_ms(furthest).value_or(1);
  outcome.clock_ahead_ms = outcome.retry_ms + guard_.drift_ms_max();
  ++health_.batches_held;
  held_.held(batch.flow, furthest, clock_.monotonic_ms());
}

// Rows are of many origins; each that is ahead is shown as one that is held.
std::int64_t Engine::hold_rows(const rpc::RowsBatch& batch) {
  constexpr ShardId kRows{0xffff};  // no shard of a log
  std::int64_t hold_ms = 0;
  for (const auto& row : batch.rows) {
    rpc::FlowId from{batch.table, kRows, row.version.region};
    if (held(row.version)) {
      hold_ms = std::max(hold_ms, guard_.hold_ms(row.version.hlc).value_or(1));
      held_.held(from, row.version.hlc, clock_.monotonic_ms());
    } else {
      held_.released(from);
    }
  }
  if (hold_ms > 0) ++health_.batches_held;
  return hold_ms;
}

void Engine::execute(ReleaseOp& op) {
  auto known = released_.find(op.source);
  if (known != released_.end() && known->second >= op.until) return;
  begin();
  released_[op.source] = op.until;
  catalog_->save_release(op.source, op.until);
}

// What the clock has come to needs nobody's word any more.
void Engine::forget_releases() {
  for (auto at = released_.begin(); at != released_.end();) {
    if (guard_.hold_ms(at->second)) {
      ++at;
      continue;
    }
    begin();
    hlc_.observe(at->second);  // so that a barrier lies above all that was let in
    catalog_->save_release(at->first, std::nullopt);
    at = released_.erase(at);
  }
}

void Engine::execute(AcceptClockOp&) {
  guard_.accept(clock_.wall_ms(), clock_.monotonic_ms());
  sample_clock();
}

ClockReport Engine::clock_report() const {
  ClockReport report;
  report.stepped = guard_.state() == conflict::ClockGuard::State::stepped;
  report.step_ms = guard_.step_ms();
  report.bound_ms = guard_.drift_ms_max();
  report.minted_ahead_ms =
      std::max<std::int64_t>(0, hlc_.last().physical_ms() - guard_.believed_ms());
  report.held = held_.by_source(guard_.believed_ms(), clock_.monotonic_ms());
  report.released = released_;
  return report;
}

// After each group; what is the same each time is not said again.
void Engine::show_clock() {
  if (!held_.empty()) held_.forget_silent(clock_.monotonic_ms());
  bool ahead = guard_.hold_ms(hlc_.last()).has_value();
  bool notable = guard_.state() == conflict::ClockGuard::State::stepped || !held_.empty() ||
                 !released_.empty() || ahead;
  if (notable || clock_shown_) shared_->set_clock(clock_report());
  clock_shown_ = notable;
}

}  // namespace meridian::store
