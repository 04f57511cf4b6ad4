#include "region-node/copy/table_copy.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace meridian::copy {

const char* phase_name(Phase phase) {
  switch (phase) {
    case Phase::registering: return "registering";
    case Phase::starting: return "starting";
    case Phase::copying: return "copying";
    case Phase::catching_up: return "catching_up";
    case Phase::finishing: return "finishing";
    case Phase::whole: return "whole";
  }
  return "unknown";
}

Action TableCopy::start(const std::optional<Bytes>& cursor,
                        const std::optional<Bytes>& beginnings, std::int64_t now_ms) {
  began_ms_ = now_ms;
  run_ms_ = now_ms;
  stored_ = cursor;
  if (cursor) cursor_ = decode_cursor(*cursor);
  if (beginnings) beginnings_ = decode_stands(*beginnings);
  if (cursor_) {
    seed_ = cursor_->seed;
    phase_ = cursor_->scanned ? Phase::catching_up : Phase::copying;
  } else if (cursor) {
    phase_ = Phase::starting;  // of a newer release
  }
  return next(now_ms);
}

const Member* TableCopy::member(const RegionId& region) const {
  for (const auto& each : members_)
    if (each.region == region) return &each;
  return nullptr;
}

// A seed that has left, or cannot be reached for too long.
bool TableCopy::seed_is_gone(std::int64_t now_ms) {
  const Member* seed = member(*seed_);
  if (seed == nullptr || !seed->whole) return true;
  if (seed->reachable) {
    seed_lost_ms_.reset();
    return false;
  }
  if (!seed_lost_ms_) seed_lost_ms_ = now_ms;
  bool another = std::any_of(members_.begin(), members_.end(), [](const Member& each) {
    return each.whole && each.reachable;
  });
  return another && now_ms - *seed_lost_ms_ >= limits_.seed_ms_max;
}

void TableCopy::worked() {
  backoff_ms_ = 0;
  reason_.clear();
}

Action TableCopy::retry(const std::string& reason, std::int64_t now_ms) {
  reason_ = reason;
  backoff_ms_ = std::clamp(backoff_ms_ * 2, limits_.backoff_ms_min, limits_.backoff_ms_max);
  return Wait{now_ms + backoff_ms_};
}

Action TableCopy::on_timer(std::int64_t now_ms) { return next(now_ms); }

Action TableCopy::on_failure(const std::string& reason, std::int64_t now_ms) {
  bool of_offer = phase_ == Phase::starting && !offer_ && !moving_to_ && seed_;
  registering_.reset();
  moving_to_.reset();
  offer_.reset();
  return of_offer ? decline(reason, now_ms) : retry(reason, now_ms);
}

Action TableCopy::next(std::int64_t now_ms) {
  bool has_seed = phase_ == Phase::copying || phase_ == Phase::catching_up;
  if (has_seed && seed_is_gone(now_ms)) {
    phase_ = Phase::starting;
    seed_.reset();
    seed_lost_ms_.reset();
    goal_.reset();
    doubted_.reset();
  }
  switch (phase_) {
    case Phase::registering: return next_registration(now_ms);
    case Phase::starting: {
      if (!offer_) return next_offer(now_ms);
      if (!offer_->parked.empty()) return next_parked();
      auto offer = std::exchange(offer_, std::nullopt);
      return take_offer(*offer);
    }
    case Phase::copying: return next_page(now_ms);
    case Phase::catching_up:
      if (goal_) return LookAtFlows{*seed_, goal_->stands};
      return ask_seed();
    case Phase::finishing: return Finish{goal_->collected, cursor_->watermarks, goal_->unsettled};
    case Phase::whole: break;
  }
  return Wait{now_ms + limits_.backoff_ms_max};
}

// --------------------------------------------------------------------------------------- registering

Action TableCopy::next_registration(std::int64_t now_ms) {
  bool all = true;
  bool any_seed = false;
  for (const auto& each : members_) {
    bool known = registered_.count(each.region) != 0;
    any_seed = any_seed || (each.whole && each.reachable && known);
    if (known) continue;
    if (each.reachable) {
      registering_ = each.region;
      return Register{each.region};
    }
    all = false;
    reason_ = "region " + std::string(each.region.name()) + " cannot be reached";
  }
  if (any_seed && (all || now_ms - began_ms_ >= limits_.register_ms_max)) {
    phase_ = Phase::starting;
    return next(now_ms);
  }
  if (!any_seed && all) reason_ = "no other region has the whole table";
  return Wait{now_ms + limits_.backoff_ms_min};
}

Action TableCopy::on_registered(bool known, std::int64_t now_ms) {
  auto region = std::exchange(registering_, std::nullopt);
  if (!known || !region) return retry("a region does not know this replica yet", now_ms);
  worked();
  registered_.insert(*region);
  return next(now_ms);
}

// ------------------------------------------------------------------------------------------- the scan

// Each in turn: one that cannot serve may not be able to for long.
Action TableCopy::next_offer(std::int64_t now_ms) {
  const Member* first = nullptr;
  const Member* next = nullptr;
  for (const auto& each : members_) {
    bool asked = stored_ || registered_.count(each.region) != 0;
    if (!each.whole || !each.reachable || !asked) continue;
    if (first == nullptr) first = &each;
    if (next == nullptr && declined_.count(each.region) == 0) next = &each;
  }
  if (first == nullptr) return retry("no region that has the whole table can be reached", now_ms);
  if (next == nullptr) {
    declined_.clear();
    next = first;
  }
  seed_ = next->region;
  return ask_seed();
}

AskOffer TableCopy::ask_seed() const {
  AskOffer ask{*seed_, {}, {}};
  const Member* seed = member(*seed_);
  if (seed != nullptr && seed->flows) {
    for (const auto& [shard, position] : *seed->flows) {
      if (ask.flows.size() <= shard.value) ask.flows.resize(shard.value + std::size_t{1});
      ask.flows[shard.value] = position;
    }
  }
  if (phase_ == Phase::catching_up) ask.scanned = cursor_->ends;
  return ask;
}

Action TableCopy::decline(const std::string& reason, std::int64_t now_ms) {
  if (phase_ == Phase::starting) declined_.insert(*seed_);
  return retry(reason, now_ms);
}

// No flow goes back, but for one of a region that has lost what it had, and begun a new life and log.
bool TableCopy::begun_anew(const Member& source, const rpc::FlowStand& began) {
  if (!source.flows) return false;
  auto at = source.flows->find(began.shard);
  auto stands = at == source.flows->end() ? Sequence{} : at->second.sequence;
  return stands < began.position.sequence;
}

// A source of whose changes the seed has not yet all that our flows take for granted.
std::optional<RegionId> TableCopy::behind(const rpc::CopyOffer& offer) const {
  for (const auto& began : *beginnings_) {
    // (All of its own log is in its rows, though it may name an earlier place: see last_local().)
    const Member* source = member(began.source);
    if (began.source == *seed_ || source == nullptr) continue;
    if (begun_anew(*source, began)) continue;
    Sequence stands;
    for (const auto& stand : offer.stands)
      if (stand.source == began.source && stand.shard == began.shard)
        stands = stand.position.sequence;
    if (stands < began.position.sequence) return began.source;
  }
  return std::nullopt;
}

Action TableCopy::on_offer(rpc::CopyOffer offer, std::int64_t now_ms) {
  if (offer.status != rpc::RowsStatus::ok) {
    if (offer.reason.empty()) offer.reason = "the seed cannot serve at present";
    return decline(offer.reason, now_ms);
  }
  worked();
  if (phase_ == Phase::catching_up) {
    // Rows came to the seed outside of its flows while it was being read, or went.
    bool changed = offer.epoch != cursor_->epoch || offer.rewound;
    if (!changed) {
      set_goal(std::move(offer));
      return next(now_ms);
    }
    phase_ = Phase::starting;
    goal_.reset();
    doubted_.reset();
  }
  if (beginnings_) {
    if (auto source = behind(offer))
      return decline("region " + std::string(seed_->name()) + " has not received all changes of " +
                         std::string(source->name()) + " yet",
                     now_ms);
  }
  std::sort(offer.parked.begin(), offer.parked.end(), [](const rpc::Row& a, const rpc::Row& b) {
    return std::tie(a.key, a.version) < std::tie(b.key, b.version);
  });
  declined_.clear();
  offer_ = std::move(offer);
  return next(now_ms);
}

// A key may have several; each batch takes one of each.
Action TableCopy::next_parked() {
  ApplyRows apply{*seed_, {}, std::nullopt};
  std::vector<rpc::Row> left;
  for (auto& row : offer_->parked) {
    bool first = apply.rows.empty() || apply.rows.back().key < row.key;
    (first ? apply.rows : left).push_back(std::move(row));
  }
  offer_->parked = std::move(left);
  return apply;
}

Action TableCopy::take_offer(const rpc::CopyOffer& offer) {
  if (beginnings_) return scan_anew(offer);
  CopyCursor cursor;
  cursor.seed = *seed_;
  cursor.epoch = offer.epoch;
  cursor.rows_estimated = offer.rows;
  cursor.watermarks = offer.watermarks;
  cursor.ends = offer.ends;
  moving_to_ = cursor;
  beginning_ = offer.stands;
  return Begin{offer.stands, encode_cursor(cursor), encode_stands(offer.stands)};
}

Action TableCopy::on_begun(bool stored, std::int64_t now_ms) {
  auto cursor = std::exchange(moving_to_, std::nullopt);
  if (!stored || !cursor) return retry("the store cannot write at present", now_ms);
  worked();
  beginnings_ = std::move(beginning_);
  stored_ = encode_cursor(*cursor);
  cursor_ = std::move(cursor);
  phase_ = Phase::copying;
  run_ms_ = now_ms;
  run_rows_ = 0;
  run_bytes_ = 0;
  return next(now_ms);
}

Action TableCopy::next_page(std::int64_t now_ms) {
  if (now_ms < read_at_ms_) return Wait{read_at_ms_};
  const Member* seed = member(*seed_);
  if (seed == nullptr || !seed->reachable)
    return retry("region " + std::string(seed_->name()) + " cannot be reached", now_ms);
  if (limits_.bytes_per_s_max > 0) read_at_ms_ = now_ms;
  return ReadRows{*seed_, cursor_->after, limits_.rows_max, limits_.bytes_max};
}

Action TableCopy::on_page(rpc::RowsPage page, std::int64_t now_ms) {
  if (page.status != rpc::RowsStatus::ok) return retry("the seed cannot serve at present", now_ms);
  if (page.rows.empty() && !page.end) return retry("the seed answered an empty page", now_ms);
  CopyCursor to = *cursor_;
  std::uint64_t bytes = 0;
  for (const auto& row : page.rows) bytes += rpc::payload_bytes(row);
  to.rows += page.rows.size();
  to.bytes += bytes;
  to.scanned = page.end;
  if (!page.rows.empty()) to.after = page.rows.back().key;
  if (limits_.bytes_per_s_max > 0)
    read_at_ms_ += static_cast<std::int64_t>(bytes * 1000 * sharers_ / limits_.bytes_per_s_max);
  moving_to_ = to;
  return ApplyRows{*seed_, std::move(page.rows),
                   rpc::CursorMove{kCursor, stored_, encode_cursor(to)}};
}

Action TableCopy::on_applied(const rpc::RowsOutcome& outcome, std::int64_t now_ms) {
  auto to = std::exchange(moving_to_, std::nullopt);
  switch (outcome.status) {
    case rpc::ApplyStatus::applied: break;
    case rpc::ApplyStatus::held:
      offer_.reset();
      reason_ = "a version lies " + std::to_string(outcome.clock_ahead_ms) +
                " ms ahead of this region's clock";
      return Wait{now_ms + std::max(outcome.retry_ms, limits_.backoff_ms_min)};
    case rpc::ApplyStatus::wrong_position:
      // An answer was lost; the store says how far it is.
      offer_.reset();
      return start(outcome.cursor, encode_stands(*beginnings_), now_ms);
    default: offer_.reset(); return retry("the store does not take rows at present", now_ms);
  }
  worked();
  if (!to) return next(now_ms);  // parked rows
  if (cursor_ && to->rows >= cursor_->rows) {
    run_rows_ += to->rows - cursor_->rows;
    run_bytes_ += to->bytes - cursor_->bytes;
  }
  stored_ = encode_cursor(*to);
  cursor_ = std::move(to);
  phase_ = cursor_->scanned ? Phase::catching_up : Phase::copying;
  return next(now_ms);
}

Action TableCopy::scan_anew(const rpc::CopyOffer& offer) {
  CopyCursor to;
  to.seed = *seed_;
  to.epoch = offer.epoch;
  to.rows_estimated = offer.rows;
  to.watermarks = offer.watermarks;
  to.ends = offer.ends;
  moving_to_ = to;
  return ApplyRows{*seed_, {}, rpc::CursorMove{kCursor, stored_, encode_cursor(to)}};
}

// ------------------------------------------------------------------------------------------ the end

// What the seed has taken in since it was asked first is the flows' affair, or one that lags would never be
// there.  So only what lies in a log that is lost, where the seed now stands at less, becomes less.
void TableCopy::set_goal(rpc::CopyOffer offer) {
  if (auto before = std::exchange(doubted_, std::nullopt)) {
    std::vector<rpc::FlowStand> stands;
    for (const auto& now : offer.stands)
      for (const auto& then : before->stands)
        if (then.source == now.source && then.shard == now.shard)
          stands.push_back(now.position.sequence < then.position.sequence ? now : then);
    offer.stands = std::move(stands);
  }
  goal_ = std::move(offer);
  polls_ = 0;
}

Action TableCopy::on_flows(bool there, std::int64_t now_ms) {
  if (!there) {
    if (++polls_ == limits_.catch_up_polls_max) doubted_ = std::exchange(goal_, std::nullopt);
    reason_ = "changes that were made meanwhile are on their way";
    return Wait{now_ms + limits_.catch_up_poll_ms};
  }
  worked();
  phase_ = Phase::finishing;
  return next(now_ms);
}

Action TableCopy::on_finished(bool stored, std::int64_t now_ms) {
  if (!stored) return retry("the store cannot write at present", now_ms);
  worked();
  phase_ = Phase::whole;
  return next(now_ms);
}

CopyProgress TableCopy::progress(std::int64_t now_ms) const {
  CopyProgress out;
  out.phase = phase_;
  out.seed = seed_;
  out.reason = reason_;
  if (phase_ == Phase::whole) out.percent = 100;
  if (!cursor_) return out;
  out.rows = cursor_->rows;
  out.bytes = cursor_->bytes;
  out.rows_estimated = std::max(cursor_->rows_estimated, cursor_->rows);
  if (phase_ != Phase::copying) {
    out.percent = phase_ == Phase::whole ? 100 : 99;
    return out;
  }
  if (out.rows_estimated > 0)
    out.percent = static_cast<unsigned>(std::min<std::uint64_t>(
        cursor_->rows * 99 / out.rows_estimated, 99));
  auto elapsed_ms = std::max<std::int64_t>(now_ms - run_ms_, 1);
  out.rows_per_s = static_cast<double>(run_rows_) * 1000.0 / static_cast<double>(elapsed_ms);
  out.bytes_per_s = static_cast<double>(run_bytes_) * 1000.0 / static_cast<double>(elapsed_ms);
  if (out.rows_per_s > 0)
    out.seconds_left = static_cast<std::int64_t>(
        static_cast<double>(out.rows_estimated - out.rows) / out.rows_per_s);
  return out;
}

}  // namespace meridian::copy
