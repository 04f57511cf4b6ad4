#include "rpc/faults/plan.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"

namespace meridian::rpc {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::size_t kSegmentBytes = 1'460;
constexpr std::int64_t kRetransmitUs = 200'000;
constexpr int kLossesMax = 6;
constexpr std::uint64_t kDraws = 1'000'000;

// A limited link sends in steps of about a twentieth of a second, so that it does not look like one
// that stops and goes.
std::size_t step_bytes(std::int64_t bytes_per_second) {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(bytes_per_second / 20, 100, 65'536));
}

}  // namespace

std::string_view fault_kind_name(FaultKind kind) {
  switch (kind) {
    case FaultKind::pause: return "pause";
    case FaultKind::delay: return "delay";
    case FaultKind::lose: return "lose";
    case FaultKind::limit: return "limit";
    case FaultKind::cut: return "cut";
  }
  return "unknown";
}

std::optional<FaultKind> parse_fault_kind(std::string_view name) {
  for (auto kind : kFaultKinds)
    if (fault_kind_name(kind) == name) return kind;
  return std::nullopt;
}

std::string problem_of(const Fault& fault) {
  if (fault.for_ms < 1 || fault.for_ms > kFaultMsMax)
    return "it needs a duration of 1 ms to 24 hours, after which it ends by itself";
  if (fault.kind == FaultKind::delay) {
    if (fault.delay_ms < 1 || fault.delay_ms > kDelayMsMax)
      return "the delay must be from 1 ms to 60 s";
    if (fault.jitter_ms < 0 || fault.jitter_ms > fault.delay_ms)
      return "the jitter must be from 0 to the delay";
  }
  bool share_fits = fault.lost_permille >= 1 && fault.lost_permille <= kLostPermilleMax;
  if (fault.kind == FaultKind::lose && !share_fits)
    return "the share that is lost must be from 1 to 500 of a thousand";
  bool rate_fits = fault.bytes_per_second >= kBytesPerSecondMin &&
                   fault.bytes_per_second <= kBytesPerSecondMax;
  if (fault.kind == FaultKind::limit && !rate_fits)
    return "the rate must be from 1 kB/s to 100 GB/s";
  return {};
}

std::int64_t retransmission_us(std::size_t bytes, std::int64_t lost_permille, double draw) {
  const double share = static_cast<double>(lost_permille) / 1000;
  const auto segments = static_cast<double>((bytes + kSegmentBytes - 1) / kSegmentBytes);
  int losses = 0;
  // The chance that one of the segments is lost at least once more in a row.
  for (double each = share; losses < kLossesMax; each *= share, ++losses)
    if (draw >= 1 - std::pow(1 - each, segments)) break;
  return kRetransmitUs * ((std::int64_t{1} << losses) - 1);
}

void FaultPlan::put(const Fault& fault, std::int64_t now_us) {
  MERIDIAN_CHECK(problem_of(fault).empty());
  std::erase_if(active_, [&fault](const ActiveFault& one) { return one.fault.kind == fault.kind; });
  active_.push_back({fault, now_us + fault.for_ms * 1000});
  std::sort(active_.begin(), active_.end(), [](const ActiveFault& a, const ActiveFault& b) {
    return a.fault.kind < b.fault.kind;
  });
}

std::vector<Fault> FaultPlan::heal() {
  std::vector<Fault> ended;
  for (const auto& one : active_) ended.push_back(one.fault);
  active_.clear();
  return ended;
}

std::vector<Fault> FaultPlan::expire(std::int64_t now_us) {
  std::vector<Fault> ended;
  std::erase_if(active_, [&ended, now_us](const ActiveFault& one) {
    if (one.ends_us > now_us) return false;
    ended.push_back(one.fault);
    return true;
  });
  return ended;
}

std::optional<std::int64_t> FaultPlan::next_end_us() const {
  std::optional<std::int64_t> first;
  for (const auto& one : active_)
    if (!first || one.ends_us < *first) first = one.ends_us;
  return first;
}

const Fault* FaultPlan::find(FaultKind kind) const {
  for (const auto& one : active_)
    if (one.fault.kind == kind) return &one.fault;
  return nullptr;
}

bool FaultPlan::shapes_bytes() const {
  return std::any_of(active_.begin(), active_.end(), [](const ActiveFault& one) {
    return one.fault.kind != FaultKind::pause;
  });
}

void TokenBucket::take(std::size_t bytes, std::int64_t bytes_per_second, std::int64_t now_us) {
  auto cost_us = static_cast<std::int64_t>(bytes) * kSecondUs / bytes_per_second;
  free_us_ = std::max(free_us_, now_us) + cost_us;
}

void Lane::push(std::size_t bytes, std::int64_t now_us, Rng& rng) {
  double draw = static_cast<double>(rng.below(kDraws)) / static_cast<double>(kDraws);
  pieces_.push_back({bytes, now_us, rng.between(-1000, 1000), draw});
  bytes_ += bytes;
}

Lane::Next Lane::next(const FaultPlan& plan, const TokenBucket& bucket, std::int64_t now_us) const {
  MERIDIAN_CHECK(!pieces_.empty());
  const Piece& first = pieces_.front();
  if (plan.cut()) return {Next::Kind::wait_for_change, 0, 0};
  std::int64_t ready_us = first.entered_us;
  if (const Fault* delay = plan.find(FaultKind::delay))
    ready_us += delay->delay_ms * 1000 + delay->jitter_ms * first.luck;
  if (const Fault* loss = plan.find(FaultKind::lose))
    ready_us += retransmission_us(first.bytes, loss->lost_permille, first.draw);
  std::size_t bytes = first.bytes;
  if (const Fault* limit = plan.find(FaultKind::limit); limit != nullptr && bytes > 0) {
    ready_us = std::max(ready_us, bucket.free_us());
    bytes = std::min(bytes, step_bytes(limit->bytes_per_second));
  }
  if (ready_us > now_us) return {Next::Kind::wait_until, 0, ready_us};
  return {Next::Kind::go, bytes, 0};
}

void Lane::pop(std::size_t bytes) {
  MERIDIAN_CHECK(!pieces_.empty() && bytes <= pieces_.front().bytes);
  pieces_.front().bytes -= bytes;
  bytes_ -= bytes;
  if (pieces_.front().bytes == 0) pieces_.pop_front();
}

}  // namespace meridian::rpc
