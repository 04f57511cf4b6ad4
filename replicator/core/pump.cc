#include "replicator/core/pump.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "replicator/core/collapse.h"

namespace meridian::replicator {
namespace {

using rpc::ApplyStatus;
using rpc::ReadStatus;

// Key, image and what travels with them, roughly.
std::size_t size_of(const rpc::ChangeRecord& record) {
  constexpr std::size_t kOverheadBytes = 64;
  return kOverheadBytes + record.key.size() + (record.new_image ? record.new_image->size() : 0);
}

const char* failure_text(Failure failure) {
  switch (failure) {
    case Failure::disconnected: return "is unreachable";
    case Failure::timed_out: return "did not answer in time";
    case Failure::overloaded: return "is overloaded";
    case Failure::refused: return "refused the call";
  }
  return "failed";
}

}  // namespace

const char* flow_state_name(FlowState state) {
  switch (state) {
    case FlowState::idle: return "idle";
    case FlowState::asking: return "asking";
    case FlowState::running: return "running";
    case FlowState::waiting: return "waiting";
    case FlowState::held: return "held";
    case FlowState::backing_off: return "backing_off";
    case FlowState::repair_needed: return "repair_needed";
    case FlowState::stopped: return "stopped";
  }
  return "unknown";
}

Pump::Pump(rpc::FlowId flow, RegionId sink, PumpLimits limits, Rng& rng)
    : flow_(flow),
      sink_(sink),
      limits_(limits),
      rng_(rng),
      backoff_(limits.backoff_ms_min, limits.backoff_ms_max),
      membership_backoff_(limits.backoff_ms_min, limits.membership_retry_ms_max) {}

// ------------------------------------------------------------------------------------------ events

Actions Pump::start(std::optional<LogPosition> checkpoint, std::int64_t now_ms) {
  MERIDIAN_CHECK(state_ == FlowState::idle);
  Actions out;
  saved_at_ms_ = now_ms;
  if (checkpoint) {
    saved_ = *checkpoint;
    state_ = FlowState::running;
    go_on_from(*checkpoint);
  } else {
    ask(out);
  }
  return finish(std::move(out), now_ms);
}

Actions Pump::on_position(RequestId id, ApplyStatus status, LogPosition position,
                          std::int64_t now_ms) {
  if (id != awaited_ || awaited_kind_ != Awaited::position) return {};
  awaited_ = 0;
  awaited_kind_ = Awaited::nothing;
  if (status != ApplyStatus::applied) {
    refused(status, now_ms);
    return finish({}, now_ms);
  }
  if (state_ != FlowState::repair_needed) {
    state_ = FlowState::running;
    reason_.clear();
  }
  confirmed_ = true;
  go_on_from(position);
  tell_again();
  return finish({}, now_ms);
}

Actions Pump::on_page(RequestId id, rpc::LogPage page, std::int64_t now_ms,
                      std::int64_t read_us) {
  if (id != awaited_ || awaited_kind_ != Awaited::page) return {};
  awaited_ = 0;
  awaited_kind_ = Awaited::nothing;
  Actions out;
  if (page.status != ReadStatus::ok) {
    read_failed(page.status, out, now_ms);
    return finish(std::move(out), now_ms);
  }
  unshipped_records_ = page.pending;
  dropped_oldest_us_.reset();
  read_to_ = page.to;
  if (state_ == FlowState::repair_needed || state_ == FlowState::waiting) {
    state_ = FlowState::running;
    reason_.clear();
  }
  if (!page.records.empty()) {
    bool backlog = limits_.collapse_backlog && page.pending > 0;
    ship(std::move(page.records), backlog ? Collapse::allowed : Collapse::no, out, now_ms);
  } else if (in_flight_.empty() && page.pending == 0) {
    state_ = FlowState::waiting;
    reason_.clear();
    backoff_.reset();
    membership_backoff_.reset();
    probe(read_us, out, now_ms);
  }
  return finish(std::move(out), now_ms);
}

Actions Pump::on_outcome(RequestId id, const rpc::ApplyOutcome& outcome, std::int64_t now_ms) {
  auto at = std::find_if(in_flight_.begin(), in_flight_.end(),
                         [id](const InFlight& entry) { return entry.id == id; });
  if (at == in_flight_.end()) return {};
  Actions out;
  bool positions =
      outcome.status == ApplyStatus::wrong_position || outcome.status == ApplyStatus::held;
  if (positions && confirmed_ && outcome.position.sequence < acknowledged_.sequence) {
    // Said before what is acknowledged since, and overtaken on the way; or the sink has lost data.
    ask_again(out);
    return finish(std::move(out), now_ms);
  }
  switch (outcome.status) {
    case ApplyStatus::applied:
      acknowledge_through(static_cast<std::size_t>(at - in_flight_.begin()), outcome, out);
      if (now_ms - saved_at_ms_ >= limits_.recheck_ms) tell_again();
      break;
    case ApplyStatus::wrong_position: adopt(outcome.position, now_ms); break;
    case ApplyStatus::held: hold(outcome, now_ms); break;
    default: refused(outcome.status, now_ms); break;
  }
  return finish(std::move(out), now_ms);
}

Actions Pump::on_failure(RequestId id, Failure failure, std::int64_t now_ms) {
  bool of_batch = std::any_of(in_flight_.begin(), in_flight_.end(),
                              [id](const InFlight& entry) { return entry.id == id; });
  bool of_read = id == awaited_ && awaited_kind_ == Awaited::page;
  bool of_question = id == awaited_ && awaited_kind_ == Awaited::position;
  if (!of_batch && !of_read && !of_question) return {};
  std::string who(of_read ? flow_.source.name() : sink_.name());
  if (of_question && state_ == FlowState::repair_needed) {
    back_off(reason_, FlowState::repair_needed, limits_.repair_recheck_ms, now_ms);
  } else {
    back_off_jittered(who + " " + failure_text(failure), now_ms);
  }
  return finish({}, now_ms);
}

Actions Pump::on_timer(std::int64_t now_ms) {
  timer_at_ms_.reset();
  Actions out;
  if (pause_ != Pause::none && now_ms >= resume_at_ms_) {
    Pause ended = std::exchange(pause_, Pause::none);
    if (ended == Pause::ask) ask(out);
  }
  return finish(std::move(out), now_ms);
}

Actions Pump::on_link_up(std::int64_t now_ms) {
  if (state_ != FlowState::backing_off || pause_ != Pause::ask) return {};
  Actions out;
  pause_ = Pause::none;
  ask(out);
  return finish(std::move(out), now_ms);
}

Actions Pump::stop() {
  Actions out;
  if (state_ != FlowState::stopped && acknowledged_ != saved_ && confirmed_) {
    saved_ = acknowledged_;
    out.push_back(SaveCheckpoint{acknowledged_});
  }
  drop_in_flight();
  awaited_ = 0;
  awaited_kind_ = Awaited::nothing;
  pause_ = Pause::none;
  positioned_ = false;
  state_ = FlowState::stopped;
  reason_.clear();
  return out;
}

// ---------------------------------------------------------------------------------------- outcomes

void Pump::acknowledge_through(std::size_t index, const rpc::ApplyOutcome& outcome, Actions& out) {
  // Batches of a flow apply only one after the other, so this answer covers those before it.
  for (std::size_t i = 0; i <= index; ++i) {
    InFlight& entry = in_flight_.front();
    acknowledged_ = entry.to;
    in_flight_bytes_ -= entry.bytes;
    records_acknowledged_ += entry.records;
    if (!entry.committed_us.empty() && outcome.visible_us != 0)
      out.push_back(RecordsVisible{std::move(entry.committed_us), outcome.visible_us});
    if (entry.probe_us != 0 && outcome.visible_us != 0)
      out.push_back(ProbeVisible{entry.probe_us, outcome.visible_us});
    in_flight_.pop_front();
  }
  confirmed_ = true;
  adopted_ = false;
  backoff_.reset();
  membership_backoff_.reset();
  bool caught_up = in_flight_.empty() && unshipped_records_ == 0;
  state_ = caught_up ? FlowState::waiting : FlowState::running;
  reason_.clear();
}

void Pump::adopt(LogPosition position, std::int64_t now_ms) {
  // Once at once; again without progress in between, something else is shipping this flow.
  bool again = std::exchange(adopted_, true);
  drop_in_flight();
  confirmed_ = true;
  if (again) {
    back_off_jittered("the position at " + std::string(sink_.name()) + " keeps moving", now_ms);
    return;
  }
  ++restarts_;
  state_ = FlowState::running;
  awaited_ = 0;
  awaited_kind_ = Awaited::nothing;
  go_on_from(position);
}

void Pump::hold(const rpc::ApplyOutcome& outcome, std::int64_t now_ms) {
  drop_in_flight();
  awaited_ = 0;
  awaited_kind_ = Awaited::nothing;
  confirmed_ = true;
  go_on_from(outcome.position);
  state_ = FlowState::held;
  reason_ = "clock: a version lies " + std::to_string(outcome.clock_ahead_ms) +
            " ms ahead of the clock of " + std::string(sink_.name());
  pause_ = Pause::retry;
  resume_at_ms_ =
      now_ms + std::clamp<std::int64_t>(outcome.retry_ms, 1, limits_.held_retry_ms_max);
}

void Pump::refused(ApplyStatus status, std::int64_t now_ms) {
  std::string sink(sink_.name());
  switch (status) {
    case ApplyStatus::not_member:
      back_off("not a replica, says " + sink, FlowState::backing_off,
               membership_backoff_.next_ms(rng_), now_ms);
      return;
    case ApplyStatus::no_such_table:
      back_off(sink + " does not have the table", FlowState::backing_off,
               membership_backoff_.next_ms(rng_), now_ms);
      return;
    case ApplyStatus::wrong_identity:
      back_off(sink + " knows this region under another node identity", FlowState::repair_needed,
               limits_.repair_recheck_ms, now_ms);
      return;
    case ApplyStatus::invalid:
      back_off(sink + " finds a batch invalid", FlowState::repair_needed, limits_.repair_recheck_ms,
               now_ms);
      return;
    default: back_off_jittered(sink + " refuses writes at present", now_ms);
  }
}

void Pump::read_failed(ReadStatus status, Actions& out, std::int64_t now_ms) {
  std::string source(flow_.source.name());
  bool lost = status == ReadStatus::trimmed || status == ReadStatus::not_in_history;
  if (lost && !confirmed_) {
    // Only the checkpoint says so; the sink may be further on.
    ask_again(out);
    return;
  }
  if (lost) {
    back_off(status == ReadStatus::trimmed
                 ? "the log of " + source + " no longer reaches back to the position of " +
                       std::string(sink_.name())
                 : "the position of " + std::string(sink_.name()) +
                       " belongs to another life of " + source,
             FlowState::repair_needed, limits_.repair_recheck_ms, now_ms);
  } else if (status == ReadStatus::no_such_table) {
    back_off(source + " does not have the table", FlowState::backing_off,
             membership_backoff_.next_ms(rng_), now_ms);
  } else {
    back_off_jittered(source + " cannot read its log at present", now_ms);
  }
}

// ------------------------------------------------------------------------------------------- steps

void Pump::ask(Actions& out) {
  // A flow in trouble keeps its state while it asks; see rule (7).
  bool trouble = state_ == FlowState::backing_off || state_ == FlowState::repair_needed;
  if (!trouble) state_ = FlowState::asking;
  awaited_ = next_id_++;
  awaited_kind_ = Awaited::position;
  out.push_back(AskPosition{awaited_});
}

void Pump::ask_again(Actions& out) {
  ++restarts_;
  drop_in_flight();
  positioned_ = false;
  ask(out);
}

void Pump::go_on_from(LogPosition position) {
  positioned_ = true;
  acknowledged_ = position;
  read_to_ = position;
  shipped_to_ = position;
}

void Pump::drop_in_flight() {
  auto oldest = oldest_unacknowledged_us();
  for (const auto& entry : in_flight_) unshipped_records_ += entry.committed_us.size();
  dropped_oldest_us_ = oldest;
  in_flight_.clear();
  in_flight_bytes_ = 0;
}

void Pump::back_off(std::string reason, FlowState state, std::int64_t delay_ms,
                    std::int64_t now_ms) {
  if (positioned_) ++restarts_;  // asking in vain is no restart
  drop_in_flight();
  awaited_ = 0;
  awaited_kind_ = Awaited::nothing;
  positioned_ = false;
  state_ = state;
  reason_ = std::move(reason);
  pause_ = Pause::ask;
  resume_at_ms_ = now_ms + delay_ms;
}

void Pump::back_off_jittered(std::string reason, std::int64_t now_ms) {
  back_off(std::move(reason), FlowState::backing_off, backoff_.next_ms(rng_), now_ms);
}

void Pump::ship(std::vector<rpc::ChangeRecord> records, Collapse collapsing, Actions& out,
                std::int64_t now_ms) {
  InFlight entry{next_id_++, read_to_, 0, 0, {}, 0};
  entry.committed_us.reserve(records.size());
  for (const auto& record : records) {
    // What came from elsewhere is never sent on: its origin ships it.
    MERIDIAN_CHECK(record.version.region == flow_.source);
    entry.bytes += size_of(record);
    entry.committed_us.push_back(record.committed_us);
  }
  if (collapsing == Collapse::allowed) {
    std::size_t whole = std::exchange(entry.bytes, 0);
    records_collapsed_ += collapse(records, sink_);
    for (const auto& record : records) entry.bytes += size_of(record);
    bytes_collapsed_ += whole - entry.bytes;
  }
  entry.records = records.size();
  records_shipped_ += records.size();
  in_flight_bytes_ += entry.bytes;
  out.push_back(ShipBatch{entry.id, {flow_, shipped_to_, read_to_, std::move(records)}});
  shipped_to_ = read_to_;
  advanced_at_ms_ = now_ms;
  in_flight_.push_back(std::move(entry));
}

void Pump::advance_if_idle(Actions& out, std::int64_t now_ms) {
  bool behind = positioned_ && pause_ == Pause::none && read_to_ != shipped_to_;
  if (behind && in_flight_.empty() && now_ms - advanced_at_ms_ >= limits_.idle_advance_ms)
    ship({}, Collapse::no, out, now_ms);
}

// One flow of a link is enough to measure it; that of the first shard, as every table has one.  The others
// only make sure that the sink stands where they think: a checkpoint is a hint, and a sink may be an older
// copy of itself.
void Pump::probe(std::int64_t read_us, Actions& out, std::int64_t now_ms) {
  bool measures = flow_.shard == ShardId(0);
  if (measures && (limits_.probe_ms == 0 || read_us == 0)) return;
  std::int64_t every_ms = measures ? limits_.probe_ms : limits_.recheck_ms;
  if (pause_ != Pause::none) return;
  // One that also moves the position on keeps to (4).
  bool moves = read_to_ != shipped_to_;
  if (moves && now_ms - advanced_at_ms_ < limits_.idle_advance_ms) return;
  if (probed_at_ms_ && now_ms - *probed_at_ms_ < every_ms) return;
  probed_at_ms_ = now_ms;
  ship({}, Collapse::no, out, now_ms);
  if (measures) in_flight_.back().probe_us = read_us;
}

void Pump::fill(Actions& out) {
  if (!positioned_ || pause_ != Pause::none || awaited_ != 0) return;
  // A retry of what is held is one batch: what comes after it would only be refused with it.
  if (state_ == FlowState::held && !in_flight_.empty()) return;
  // Room for a whole batch, so that a flow that is behind does not ship crumbs.
  bool room = in_flight_.size() < limits_.window_batches_max &&
              in_flight_bytes_ + limits_.batch_bytes_max <= limits_.window_bytes_max;
  if (!room && !in_flight_.empty()) return;
  awaited_ = next_id_++;
  awaited_kind_ = Awaited::page;
  out.push_back(ReadLog{awaited_, read_to_, limits_.batch_records_max, limits_.batch_bytes_max,
                        limits_.read_wait_ms});
}

// Unless there is nothing to tell.
void Pump::tell_again() {
  if (acknowledged_ != LogPosition{}) saved_.reset();
}

void Pump::save_if_due(Actions& out, std::int64_t now_ms) {
  if (acknowledged_ == saved_ || !confirmed_ || !positioned_) return;
  if (now_ms - saved_at_ms_ < limits_.save_interval_ms) return;
  saved_ = acknowledged_;
  saved_at_ms_ = now_ms;
  out.push_back(SaveCheckpoint{acknowledged_});
}

Actions Pump::finish(Actions out, std::int64_t now_ms) {
  if (state_ == FlowState::stopped) return out;
  save_if_due(out, now_ms);
  advance_if_idle(out, now_ms);
  fill(out);
  auto next = next_timer_ms();
  if (next && (!timer_at_ms_ || *next < *timer_at_ms_)) {
    timer_at_ms_ = next;
    out.push_back(SetTimer{*next});
  }
  return out;
}

std::optional<std::int64_t> Pump::next_timer_ms() const {
  std::optional<std::int64_t> next;
  auto consider = [&next](std::int64_t at_ms) { next = next ? std::min(*next, at_ms) : at_ms; };
  if (pause_ != Pause::none) consider(resume_at_ms_);
  if (positioned_ && confirmed_ && acknowledged_ != saved_)
    consider(saved_at_ms_ + limits_.save_interval_ms);
  if (positioned_ && pause_ == Pause::none && read_to_ != shipped_to_ && in_flight_.empty())
    consider(advanced_at_ms_ + limits_.idle_advance_ms);
  return next;
}

// ----------------------------------------------------------------------------------------- figures

std::uint64_t Pump::pending_records() const {
  std::uint64_t records = unshipped_records_;
  for (const auto& entry : in_flight_) records += entry.committed_us.size();
  return records;
}

std::optional<std::int64_t> Pump::oldest_unacknowledged_us() const {
  for (const auto& entry : in_flight_)
    if (!entry.committed_us.empty()) return entry.committed_us.front();
  return dropped_oldest_us_;
}

}  // namespace meridian::replicator
