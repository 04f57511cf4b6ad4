#include "tools/meridian/percentiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace meridian::cli {
namespace {

double ms(std::int64_t us) { return static_cast<double>(us) / 1000.0; }

struct Moments {
  double mean_ms = 0;
  double deviation_ms = 0;
};

// As far as the bounds tell.
Moments moments(const LagCounts& lag) {
  double sum = 0;
  double squares = 0;
  for (const auto& [bound_us, count] : lag.by_bound) {
    double value = ms(std::min(bound_us, lag.max_us));
    sum += value * static_cast<double>(count);
    squares += value * value * static_cast<double>(count);
  }
  auto total = static_cast<double>(lag.count());
  double mean = sum / total;
  return {mean, std::sqrt(std::max(squares / total - mean * mean, 0.0))};
}

std::uint64_t count_at_most(const LagCounts& lag, std::int64_t bound_us) {
  std::uint64_t seen = 0;
  for (const auto& [bound, count] : lag.by_bound)
    if (std::min(bound, lag.max_us) <= bound_us) seen += count;
  return seen;
}

}  // namespace

std::vector<double> percentile_steps(std::uint64_t count) {
  std::vector<double> out;
  for (double remaining = 1.0; remaining * static_cast<double>(count) > 0.5;
       remaining *= std::pow(0.5, 0.2))
    out.push_back(1.0 - remaining);
  return out;
}

std::string percentile_text(const LagCounts& lag) {
  std::string out = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                "TotalCount", "1/(1-Percentile)");
  auto total = lag.count();
  if (total == 0) return out + "#[Max     =        0.000, Total count    =            0]\n";
  for (double quantile : percentile_steps(total)) {
    auto bound = lag.quantile_us(quantile);
    out += fmt::format("{:>12.3f} {:>14.12f} {:>10} {:>14.2f}\n", ms(bound), quantile,
                       count_at_most(lag, bound), 1.0 / (1.0 - quantile));
  }
  out += fmt::format("{:>12.3f} {:>14.12f} {:>10}\n", ms(lag.max_us), 1.0, total);
  auto [mean_ms, deviation_ms] = moments(lag);
  out += fmt::format("#[Mean    = {:>12.3f}, StdDeviation   = {:>12.3f}]\n", mean_ms, deviation_ms);
  out += fmt::format("#[Max     = {:>12.3f}, Total count    = {:>12}]\n", ms(lag.max_us), total);
  return out;
}

}  // namespace meridian::cli
