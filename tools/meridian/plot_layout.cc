#include "tools/meridian/plot_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/meridian/deployment.h"
#include "tools/meridian/percentiles.h"

namespace meridian::cli {
namespace {

constexpr double kWidth = 860;
constexpr double kHeight = 380;
constexpr double kLeft = 80;
constexpr double kRight = 20;
constexpr double kTop = 20;
constexpr double kBottom = 50;
constexpr double kLegendLine = 18;
constexpr std::array kColours{"#1f6feb", "#d1571f", "#2da44e", "#8250df", "#bf3989", "#9a6700"};

double ms(std::int64_t us) { return static_cast<double>(us) / 1000.0; }

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

Scale scale_of(const NamedLags& lags) {
  Scale scale;
  for (const auto& [name, lag] : lags) {
    if (lag.count() == 0) continue;
    scale.nines_max = std::max(scale.nines_max, std::log10(static_cast<double>(lag.count())));
    scale.ms_max = std::max(scale.ms_max, ms(lag.max_us));
  }
  scale.ms_max = round_up(scale.ms_max);
  return scale;
}

void add_axes(const Scale& scale, PlotLayout& out) {
  for (int i = 0; i <= 5; ++i) {
    double value = scale.ms_max * i / 5;
    out.rows.push_back({{kLeft - 8, scale.y(value) + kLabelDrop}, fmt::format("{:g} ms", value)});
  }
  constexpr std::array<std::pair<double, const char*>, 6> kTicks{
      {{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}, {0.9999, "p99.99"},
       {0.99999, "p99.999"}}};
  for (const auto& [quantile, name] : kTicks) {
    if (-std::log10(1 - quantile) > scale.nines_max + 1e-9) break;
    out.columns.push_back({{scale.x(quantile), kHeight - kBottom + 20}, name});
  }
}

std::vector<Point> points_of(const Scale& scale, const LagCounts& lag) {
  std::vector<Point> out;
  for (double quantile : percentile_steps(lag.count()))
    out.push_back({scale.x(quantile), scale.y(ms(lag.quantile_us(quantile)))});
  out.push_back({kWidth - kRight, scale.y(ms(lag.max_us))});
  return out;
}

}  // namespace

PlotLayout layout_of(const NamedLags& lags) {
  Scale scale = scale_of(lags);
  PlotLayout out;
  out.width = kWidth;
  out.height = kHeight + kLegendLine * static_cast<double>(lags.size());
  out.left = kLeft;
  out.right = kWidth - kRight;
  add_axes(scale, out);
  for (std::size_t i = 0; i < lags.size(); ++i) {
    const auto& [name, lag] = lags[i];
    Curve curve;
    curve.colour = kColours[i % kColours.size()];
    curve.label = {{kLeft + 18, kHeight + kLegendLine * static_cast<double>(i)}, name};
    if (lag.count() > 0) {
      curve.points = points_of(scale, lag);
      curve.label.text += fmt::format(": p50 {:.1f} ms, p99 {:.1f} ms, max {:.1f} ms of {}",
                                      ms(lag.quantile_us(0.5)), ms(lag.quantile_us(0.99)),
                                      ms(lag.max_us), lag.count());
    } else {
      curve.label.text += ": nothing arrived";
    }
    out.curves.push_back(std::move(curve));
  }
  return out;
}

Picture picture_for(const std::string& flag, const std::string& path) {
  auto dot = path.rfind('.');
  std::string extension = dot == std::string::npos ? "" : path.substr(dot);
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (extension == ".svg") return Picture::svg;
  if (extension == ".png") return Picture::png;
  throw UsageError(flag + " draws FILE.svg or FILE.png, not '" + path + "'");
}

std::string plot(Picture picture, const NamedLags& lags) {
  return picture == Picture::svg ? plot_svg(lags) : plot_png(lags);
}

}  // namespace meridian::cli
