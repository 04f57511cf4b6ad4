#include "tools/meridian/replicate/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/meridian/commands.h"

namespace meridian::replicate {

namespace {

constexpr std::int64_t kFirstBarUs = 100;

bool answered(const WriteTally& writes) {
  return std::any_of(writes.statuses.begin(), writes.statuses.end(),
                     [](const auto& status) { return status.first != 0; });
}

}  // namespace

std::vector<Bar> bars_of(const LagCounts& counts) {
  std::vector<Bar> out;
  std::int64_t power = kFirstBarUs;
  int factor = 1;
  auto widen = [&] {
    factor = factor == 1 ? 2 : factor == 2 ? 5 : 1;
    if (factor == 1) power *= 10;
  };
  for (const auto& [bound_us, count] : counts.by_bound) {
    std::int64_t value_us = std::min(bound_us, counts.max_us);
    if (out.empty()) {
      while (factor * power < value_us) widen();
      out.push_back({factor * power, 0});
    }
    while (out.back().bound_us < value_us) {
      widen();
      out.push_back({factor * power, 0});
    }
    out.back().count += count;
  }
  return out;
}

std::vector<std::pair<std::string, LagCounts>> latencies(const Summary& summary) {
  std::vector<std::pair<std::string, LagCounts>> out;
  if (summary.open_loop) out.emplace_back("write-corrected", summary.writes.from_due);
  out.emplace_back("write-uncorrected", summary.writes.from_sent);
  for (const auto& sink : summary.sinks) {
    std::string link = summary.source + "-" + sink.region;
    out.emplace_back("end-to-end-" + link, sink.from_due);
    out.emplace_back("lag-" + link, sink.lag);
  }
  return out;
}

int exit_code(const Summary& summary) {
  const WriteTally& writes = summary.writes;
  if (writes.sent() > 0 && writes.acknowledged == 0)
    return answered(writes) ? cli::kExitRefused : cli::kExitUnreachable;
  bool short_of = writes.failed > 0 || writes.unsent > 0 || summary.unanswered > 0;
  for (const auto& sink : summary.sinks) short_of |= sink.unseen > 0;
  return short_of ? cli::kExitNo : cli::kExitYes;
}

std::string progress_line(const Summary& so_far, std::size_t waiting) {
  const WriteTally& writes = so_far.writes;
  auto number = [](std::uint64_t value) {
    return cli::with_separators(static_cast<std::int64_t>(value));
  };
  std::string out = fmt::format("{:.0f} s: {} of {} writes acknowledged", so_far.seconds,
                                number(writes.acknowledged), number(so_far.requested));
  if (writes.failed > 0) out += fmt::format(", {} failed", writes.failed);
  out += ", p99 " + cli::readable_ms(static_cast<double>(writes.from_due.quantile_us(0.99)) / 1e3);
  for (const auto& sink : so_far.sinks)
    out += ", lag to " + sink.region + " p50 " +
           cli::readable_ms(static_cast<double>(sink.lag.quantile_us(0.5)) / 1e3);
  if (waiting > 0) out += fmt::format(", {} on their way", waiting);
  return out;
}

}  // namespace meridian::replicate
