#include "replicator/core/link_lag.h"

#include <algorithm>

namespace meridian::replicator {
namespace {

constexpr std::int64_t kSampleMs = 900;
// Two spans of time are compared...
constexpr std::int64_t kSpanMs = 5'000;
// ... and differ when it is by more than this, and by more than a fifth.
constexpr std::int64_t kNoiseMs = 200;

}  // namespace

void LagWindow::add(std::int64_t value_us, std::int64_t now_ms) {
  if (slots_.empty() || now_ms - slots_.back().began_ms >= kSlotMs) {
    slots_.push_back({now_ms, {}});
    while (now_ms - slots_.front().began_ms > kReachMs + kSlotMs) slots_.pop_front();
  }
  slots_.back().counts.add(value_us);
}

LagCounts LagWindow::counts(std::int64_t now_ms, std::int64_t window_ms) const {
  LagCounts out;
  for (auto slot = slots_.rbegin(); slot != slots_.rend(); ++slot) {
    if (now_ms - slot->began_ms > window_ms) break;
    out.add(slot->counts);
  }
  return out;
}

const char* trend_name(Trend trend) {
  switch (trend) {
    case Trend::unknown: return "unknown";
    case Trend::steady: return "steady";
    case Trend::growing: return "growing";
    case Trend::shrinking: return "shrinking";
  }
  return "unknown";
}

void LinkLag::on_record(std::int64_t committed_us, std::int64_t lag_us, std::int64_t now_ms) {
  total_.record(lag_us);
  records_.add(lag_us, now_ms);
  applied_us_ = std::max(applied_us_.value_or(committed_us), committed_us);
}

void LinkLag::on_probe(std::int64_t read_us, std::int64_t lag_us, std::int64_t now_ms) {
  probes_.add(lag_us, now_ms);
  probe_us_ = std::max(probe_us_.value_or(read_us), read_us);
}

void LinkLag::sample(std::optional<std::int64_t> oldest_ms, std::int64_t now_ms) {
  if (!oldest_ms || (!samples_.empty() && now_ms - samples_.back().at_ms < kSampleMs)) return;
  samples_.push_back({now_ms, *oldest_ms});
  while (now_ms - samples_.front().at_ms > 2 * kSpanMs) samples_.pop_front();
}

Trend LinkLag::trend(std::int64_t now_ms) const {
  std::int64_t sums[2] = {0, 0};
  std::int64_t counts[2] = {0, 0};
  for (const auto& sample : samples_) {
    std::int64_t age_ms = now_ms - sample.at_ms;
    if (age_ms > 2 * kSpanMs) continue;
    std::size_t span = age_ms > kSpanMs ? 0 : 1;
    sums[span] += sample.oldest_ms;
    ++counts[span];
  }
  if (counts[0] == 0 || counts[1] == 0) return Trend::unknown;
  std::int64_t before_ms = sums[0] / counts[0];
  std::int64_t after_ms = sums[1] / counts[1];
  std::int64_t noise_ms = std::max(kNoiseMs, before_ms / 5);
  if (after_ms > before_ms + noise_ms) return Trend::growing;
  if (after_ms < before_ms - noise_ms) return Trend::shrinking;
  return Trend::steady;
}

}  // namespace meridian::replicator
