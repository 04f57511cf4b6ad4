#include "tools/meridian/percentiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

// Quantiles that HdrHistogram steps through: five for every halving of what lies above.
std::vector<double> steps(std::uint64_t total) {
  std::vector<double> out;
  for (double remaining = 1.0; remaining * static_cast<double>(total) > 0.5;
       remaining *= std::pow(0.5, 0.2))
    out.push_back(1.0 - remaining);
  return out;
}

// ---------------------------------------------------------------------------------------- picture

constexpr double kWidth = 860;
constexpr double kHeight = 380;
constexpr double kLeft = 80;
constexpr double kRight = 20;
constexpr double kTop = 20;
constexpr double kBottom = 50;
constexpr std::array kColours{"#1f6feb", "#d1571f", "#2da44e", "#8250df", "#bf3989", "#9a6700"};

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<') out += "&lt;";
    else if (c == '&') out += "&amp;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

// 1, 2 or 5 times a power of ten, at or above.
double round_up(double value) {
  double power = std::pow(10, std::floor(std::log10(value)));
  for (double factor : {1.0, 2.0, 5.0, 10.0})
    if (factor * power >= value) return factor * power;
  return 10 * power;
}

struct Scale {
  double nines_max = 1;  // of the horizontal axis: -log10(1 - quantile)
  double ms_max = 1;
  [[nodiscard]] double x(double quantile) const {
    double nines = std::min(-std::log10(1 - quantile), nines_max);
    return kLeft + nines / nines_max * (kWidth - kLeft - kRight);
  }
  [[nodiscard]] double y(double value_ms) const {
    return kHeight - kBottom - value_ms / ms_max * (kHeight - kTop - kBottom);
  }
};

std::string grid(const Scale& scale) {
  std::string out;
  for (int i = 0; i <= 5; ++i) {
    double value = scale.ms_max * i / 5;
    double y = scale.y(value);
    out += fmt::format(
        "<line class='grid' x1='{:.0f}' y1='{:.1f}' x2='{:.0f}' y2='{:.1f}'/>"
        "<text x='{:.0f}' y='{:.1f}' text-anchor='end'>{:g} ms</text>\n",
        kLeft, y, kWidth - kRight, y, kLeft - 8, y + 4, value);
  }
  constexpr std::array<std::pair<double, const char*>, 6> kTicks{
      {{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}, {0.9999, "p99.99"},
       {0.99999, "p99.999"}}};
  for (const auto& [quantile, name] : kTicks) {
    if (-std::log10(1 - quantile) > scale.nines_max + 1e-9) break;
    out += fmt::format("<text x='{:.1f}' y='{:.0f}' text-anchor='middle'>{}</text>\n",
                       scale.x(quantile), kHeight - kBottom + 20, name);
  }
  return out;
}

std::string curve(const Scale& scale, const LagCounts& lag, const char* colour) {
  std::string points;
  for (double quantile : steps(lag.count()))
    points += fmt::format("{:.1f},{:.1f} ", scale.x(quantile),
                          scale.y(ms(lag.quantile_us(quantile))));
  points += fmt::format("{:.1f},{:.1f}", kWidth - kRight, scale.y(ms(lag.max_us)));
  return fmt::format("<polyline fill='none' stroke='{}' stroke-width='2' points='{}'/>\n", colour,
                     points);
}

}  // namespace

std::string percentile_text(const LagCounts& lag) {
  std::string out = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                "TotalCount", "1/(1-Percentile)");
  auto total = lag.count();
  if (total == 0) return out + "#[Max     =        0.000, Total count    =            0]\n";
  for (double quantile : steps(total)) {
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

std::string percentile_plot(const std::vector<std::pair<std::string, LagCounts>>& lags) {
  Scale scale;
  for (const auto& [name, lag] : lags) {
    if (lag.count() == 0) continue;
    scale.nines_max = std::max(scale.nines_max, std::log10(static_cast<double>(lag.count())));
    scale.ms_max = std::max(scale.ms_max, ms(lag.max_us));
  }
  scale.ms_max = round_up(scale.ms_max);
  double height = kHeight + 18 * static_cast<double>(lags.size());
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {:.0f} {:.0f}' width='{:.0f}'"
      " height='{:.0f}' role='img'>\n<title>Replication lag by percentile</title>\n"
      "<style>text{{font:12px system-ui,sans-serif;fill:#57606a}}.grid{{stroke:#d0d7de}}</style>\n"
      "<rect width='100%' height='100%' fill='#ffffff'/>\n",
      kWidth, height, kWidth, height);
  out += grid(scale);
  for (std::size_t i = 0; i < lags.size(); ++i) {
    const auto& [name, lag] = lags[i];
    const char* colour = kColours[i % kColours.size()];
    double y = kHeight + 18 * static_cast<double>(i);
    std::string text = escaped(name);
    if (lag.count() > 0) {
      out += curve(scale, lag, colour);
      text += fmt::format(": p50 {:.1f} ms, p99 {:.1f} ms, max {:.1f} ms of {}",
                          ms(lag.quantile_us(0.5)), ms(lag.quantile_us(0.99)), ms(lag.max_us),
                          lag.count());
    } else {
      text += ": nothing arrived";
    }
    out += fmt::format("<rect x='{:.0f}' y='{:.0f}' width='12' height='4' fill='{}'/>"
                       "<text x='{:.0f}' y='{:.0f}'>{}</text>\n",
                       kLeft, y - 6, colour, kLeft + 18, y, text);
  }
  return out + "</svg>\n";
}

}  // namespace meridian::cli
