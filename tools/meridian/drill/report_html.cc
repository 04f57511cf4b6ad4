// report.html: one file that stands alone, for a browser or for print.
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include <algorithm>
#include <map>

#include "tools/meridian/drill/report.h"

namespace meridian::drill {
namespace json = boost::json;

namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 180;
constexpr double kLeft = 60;
constexpr double kBottom = 24;

constexpr const char* kStyle = R"css(
:root { color-scheme: light dark; --ink: #17202a; --soft: #5a6673; --line: #d9dee3;
  --sheet: #fff; --wash: #fdeae8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b4; --line: #303a44;
  --sheet: #12171c; --wash: #42201d; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--sheet);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
pre { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; white-space: pre-wrap; }
table { border-collapse: collapse; }
td, th { text-align: left; padding: .25rem .7rem; border-bottom: 1px solid var(--line); }
td:first-child { text-align: right; font-variant-numeric: tabular-nums; }
.PASS { color: #1b7f4d; } .FAIL { color: #b42318; }
svg { width: 100%; height: auto; } text { fill: var(--soft); font-size: 12px; }
.window { fill: var(--wash); } .axis { stroke: var(--line); }
.mark { stroke: var(--soft); stroke-dasharray: 3 3; }
.series { fill: none; stroke-width: 1.8; }
)css";

constexpr const char* kColours[] = {"#1f6f93", "#c2571a", "#5b8c2a",
                                    "#8a4fa8", "#b58900", "#2a8f86"};

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

using Points = std::vector<std::pair<double, double>>;  // seconds, value
using Series = std::map<std::string, Points>;

struct Chart {
  std::string title;
  Series series;
  double end_s;
  std::optional<double> fault_s;
  std::optional<double> heal_s;
  std::map<std::string, double> marks;
};

double across(const Chart& chart, double at_s) {
  return kLeft + (kWidth - kLeft) * std::min(1.0, at_s / std::max(chart.end_s, 1e-9));
}

std::string draw(const Chart& chart) {
  double top = 1;
  for (const auto& [name, points] : chart.series)
    for (const auto& [at, value] : points) top = std::max(top, value);
  double floor = kHeight - kBottom;
  std::string out = fmt::format("<h2>{}</h2><svg viewBox='0 0 {} {}' role='img'>",
                                escaped(chart.title), kWidth, kHeight);
  if (chart.fault_s) {
    double from = across(chart, *chart.fault_s);
    double to = across(chart, chart.heal_s.value_or(chart.end_s));
    out += fmt::format("<rect class='window' x='{:.1f}' y='0' width='{:.1f}' height='{:.1f}'/>",
                       from, to - from, floor);
  }
  out += fmt::format(
      "<path class='axis' d='M{0} 0V{1}H{2}' fill='none'/><text x='4' y='12'>{3:.0f}</text>"
      "<text x='4' y='{1}'>0</text><text x='{0}' y='{4}'>0 s</text>"
      "<text x='{5}' y='{4}'>{6:.0f} s</text>",
      kLeft, floor, kWidth, top, kHeight - 6, kWidth - 34, chart.end_s);
  double row = 12;
  for (const auto& [name, at_s] : chart.marks) {
    double x = across(chart, at_s);
    out += fmt::format(
        "<path class='mark' d='M{0:.1f} 0V{1:.1f}'/><text x='{2:.1f}' y='{3:.1f}'>{4}</text>", x,
        floor, x + 3, row, escaped(name));
    row += 13;
  }
  std::string legend;
  std::size_t number = 0;
  for (const auto& [name, points] : chart.series) {
    const char* colour = kColours[number++ % std::size(kColours)];
    std::string path;
    for (const auto& [at, value] : points)
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", across(chart, at),
                          floor - (floor - 4) * value / top);
    out += fmt::format("<path class='series' stroke='{}' d='{}'/>", colour, path);
    legend +=
        fmt::format("<span style='color:{}'>&#9632;</span> {} &nbsp; ", colour, escaped(name));
  }
  return out + "</svg><p>" + legend + "</p>";
}

// Acknowledged writes of each second, by the region that acknowledged them.
Series throughput(const DrillResult& result, double end_s) {
  Series out;
  for (const auto& region : result.regions) {
    Points points;
    for (int second = 0; second <= static_cast<int>(end_s); ++second)
      points.emplace_back(second, 0);
    for (const auto& write : result.writes) {
      auto second = static_cast<std::size_t>(write.acked_us / 1'000'000);
      if (write.region == region && write.acked_us > 0 && second < points.size())
        points[second].second += 1;
    }
    if (std::any_of(points.begin(), points.end(), [](const auto& p) { return p.second > 0; }))
      out[region] = std::move(points);
  }
  return out;
}

Series backlog(const DrillResult& result) {
  Series out;
  for (const auto& sample : result.samples)
    for (const auto& link : sample.links)
      if (link.pending_records)
        out[sample.region + " to " + link.sink].emplace_back(
            static_cast<double>(sample.at_us) / 1e6, static_cast<double>(*link.pending_records));
  return out;
}

std::optional<double> in_seconds(const std::optional<std::int64_t>& us) {
  if (!us) return std::nullopt;
  return static_cast<double>(*us) / 1e6;
}

}  // namespace

std::string report_html(const json::object& report, const DrillResult& result) {
  auto text = [](const json::value& value) { return escaped(std::string(value.as_string())); };
  double end_s =
      result.timeline.empty() ? 1 : static_cast<double>(result.timeline.back().at_us) / 1e6;
  Chart chart{"Acknowledged writes per second, by region",
              throughput(result, end_s),
              end_s,
              in_seconds(result.fault_us),
              in_seconds(result.healed_us),
              {}};
  if (auto at = in_seconds(result.detected_us)) chart.marks["noticed"] = *at;
  if (auto at = in_seconds(result.switched_us)) chart.marks["switched"] = *at;
  if (auto at = in_seconds(result.caught_up_us)) chart.marks["caught up"] = *at;
  std::string charts = draw(chart);
  chart.title = "Records that wait, by link";
  chart.series = backlog(result);
  charts += draw(chart);
  std::string rows;
  for (const auto& entry : report.at("timeline").as_array()) {
    const auto& event = entry.as_object();
    rows += fmt::format("<tr><td>{:.1f}</td><td>{}</td><td>{}</td></tr>",
                        event.at("at_s").to_number<double>(), text(event.at("phase")),
                        text(event.at("text")));
  }
  return fmt::format(
      "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width'><title>{0}</title><style>{1}</style></head><body>"
      "<h1>{2} of {3}: <span class='{4}'>{4}</span></h1><pre>{5}</pre>{6}"
      "<p>The shaded part is the fault.</p><h2>Timeline</h2><table><tr><th>s</th><th>Phase</th>"
      "<th>What</th></tr>{7}</table></body></html>\n",
      text(report.at("id")), kStyle, text(report.at("scenario")), text(report.at("region")),
      text(report.at("verdict")), escaped(verdict_text(report)), charts, rows);
}

}  // namespace meridian::drill
