// report.html: one file that stands alone, for a browser or for print.
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include "tools/meridian/drill/report.h"

namespace meridian::drill {
namespace json = boost::json;

namespace {

constexpr double kWidth = 960;
constexpr double kHeight = 220;
constexpr double kLeft = 64;
constexpr double kTop = 34;     // room for the marks' names
constexpr double kBottom = 26;  // and for the seconds
constexpr int kTicks = 4;

constexpr const char* kStyle = R"css(
:root { color-scheme: light dark; --ink: #17202a; --soft: #5a6673; --line: #dfe4e9;
  --sheet: #fff; --card: #f6f8fa; --wash: #fbe3df; --good: #1b7f4d; --bad: #b42318;
  --c0: #1f6f93; --c1: #c2571a; --c2: #5b8c2a; --c3: #8a4fa8; --c4: #b58900; --c5: #2a8f86; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b4; --line: #303a44;
  --sheet: #12171c; --card: #1a2128; --wash: #45211e; --good: #4cc38a; --bad: #ff7b6b;
  --c0: #5fb3d9; --c1: #f0935a; --c2: #9ac96a; --c3: #c79be0; --c4: #e0bb4d; --c5: #63cabf; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--sheet);
  max-width: 64rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
.sub { color: var(--soft); margin: .2rem 0 1.4rem; }
.badge { color: #fff; border-radius: .4rem; padding: .1rem .6rem; font-size: 1.1rem;
  vertical-align: .15rem; background: var(--bad); } .badge.PASS { background: var(--good); }
@media (prefers-color-scheme: dark) { .badge { color: #12171c; } }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: .8rem; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .7rem .9rem; } .tile b { display: block; font-size: 1.5rem; line-height: 1.3;
  font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: .85rem; }
.missed { border-left: .25rem solid var(--bad); padding: .2rem .8rem; margin: 1rem 0; }
figure { margin: 0; overflow-x: auto; } svg { width: 100%; min-width: 34rem; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.window { fill: var(--wash); } .grid { stroke: var(--line); } .axis { stroke: var(--soft); }
.mark { stroke: var(--ink); stroke-dasharray: 3 3; opacity: .55; } svg .name { fill: var(--ink); }
.series { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.key { color: var(--soft); margin: .2rem 0 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem;
  margin-right: .4rem; vertical-align: -.08rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; } td.at { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; color: var(--soft); } td.phase { font-weight: 600; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; } dt { font-weight: 600; }
dd { margin: 0 0 .5rem; color: var(--soft); }
@media print { body { padding: 0; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
)css";
constexpr std::size_t kColours = 6;

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

std::string escaped_of(const json::value& value) {
  return escaped(std::string(value.as_string()));
}

using Points = std::vector<std::pair<double, double>>;  // seconds, value
using Series = std::map<std::string, Points>;

// What all charts of a report share.
struct Frame {
  double end_s = 1;
  std::optional<double> fault_s;
  std::optional<double> heal_s;
  std::vector<std::pair<double, const char*>> marks;  // ascending

  [[nodiscard]] double x(double at_s) const {
    return kLeft + (kWidth - kLeft - 8) * std::clamp(at_s / end_s, 0.0, 1.0);
  }
};

// The smallest of 1, 2, 5, 10, 20, ... that is not below `value`.
double round_up(double value) {
  double power = std::pow(10, std::floor(std::log10(std::max(value, 1.0))));
  for (double step : {1.0, 2.0, 5.0, 10.0})
    if (step * power >= value) return step * power;
  return 10 * power;
}

std::string draw_ground(const Frame& frame, double top) {
  double floor = kHeight - kBottom;
  std::string out;
  if (frame.fault_s) {
    double from = frame.x(*frame.fault_s);
    double to = frame.x(frame.heal_s.value_or(frame.end_s));
    out += fmt::format(
        "<rect class='window' x='{:.1f}' y='{}' width='{:.1f}' height='{:.1f}'><title>the fault"
        "</title></rect>",
        from, kTop, std::max(1.0, to - from), floor - kTop);
  }
  for (int tick = 0; tick <= kTicks; ++tick) {
    double y = floor - (floor - kTop) * tick / kTicks;
    out += fmt::format(
        "<path class='{}' d='M{} {:.1f}H{}'/><text x='{}' y='{:.1f}' text-anchor='end'>{:g}</text>",
        tick == 0 ? "axis" : "grid", kLeft, y, kWidth - 8, kLeft - 8, y + 4, top * tick / kTicks);
  }
  double step = round_up(frame.end_s / 12);
  for (double at = 0; at <= frame.end_s; at += step)
    out += fmt::format("<text x='{:.1f}' y='{}' text-anchor='middle'>{:g} s</text>", frame.x(at),
                       kHeight - 6, at);
  // Names in two rows, so that neighbours do not lie on each other.
  int row = 0;
  for (const auto& [at_s, name] : frame.marks) {
    double x = frame.x(at_s);
    bool left = x > kWidth - 110;
    out += fmt::format(
        "<path class='mark' d='M{0:.1f} {1}V{2:.1f}'/><text class='name' x='{3:.1f}' y='{4}' "
        "text-anchor='{5}'>{6}</text>",
        x, kTop - 22 + 14 * row, floor, left ? x - 4 : x + 4, kTop - 14 + 14 * row,
        left ? "end" : "start", name);
    row = 1 - row;
  }
  return out;
}

std::string draw(const Frame& frame, const char* title, const Series& series) {
  double top = 1;
  for (const auto& [name, points] : series)
    for (const auto& [at, value] : points) top = std::max(top, value);
  top = round_up(top);
  double floor = kHeight - kBottom;
  std::string out = fmt::format(
      "<h2>{0}</h2><figure><svg viewBox='0 0 {1} {2}' role='img' aria-label='{0}'>{3}", title,
      kWidth, kHeight, draw_ground(frame, top));
  std::string key;
  std::size_t number = 0;
  for (const auto& [name, points] : series) {
    auto colour = number++ % kColours;
    std::string path;
    for (const auto& [at, value] : points)
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.x(at),
                          floor - (floor - kTop) * value / top);
    out += fmt::format("<path class='series' stroke='var(--c{})' d='{}'/>", colour, path);
    key += fmt::format("<span><i style='background:var(--c{})'></i>{}</span>", colour,
                       escaped(name));
  }
  if (frame.fault_s)
    key += "<span><i style='background:var(--wash)'></i>the fault</span>";
  return out + "</svg></figure><p class='key'>" + key + "</p>";
}

// Acknowledged writes of each second, by the region that acknowledged them.
Series throughput(const DrillResult& result, double end_s) {
  Series out;
  auto seconds = static_cast<std::size_t>(end_s);  // whole ones
  for (const auto& region : result.regions) {
    Points points;
    for (std::size_t second = 0; second < seconds; ++second)
      points.emplace_back(static_cast<double>(second) + 0.5, 0);
    bool any = false;
    for (const auto& write : result.writes) {
      auto second = static_cast<std::size_t>(write.acked_us / 1'000'000);
      if (write.region != region || write.acked_us == 0 || second >= points.size()) continue;
      points[second].second += 1;
      any = true;
    }
    if (any) out[region] = std::move(points);
  }
  return out;
}

template <typename Figure>
Series by_link(const DrillResult& result, Figure figure) {
  Series out;
  for (const auto& sample : result.samples)
    for (const auto& link : sample.links)
      if (auto value = figure(link))
        out[sample.region + " \u2192 " + link.sink].emplace_back(
            static_cast<double>(sample.at_us) / 1e6, *value);
  return out;
}

Frame frame_of(const DrillResult& result) {
  auto in_seconds = [](std::int64_t us) { return static_cast<double>(us) / 1e6; };
  Frame frame;
  if (!result.timeline.empty()) frame.end_s = in_seconds(result.timeline.back().at_us);
  frame.end_s = std::max(frame.end_s, 1.0);
  if (result.fault_us) frame.fault_s = in_seconds(*result.fault_us);
  if (result.healed_us) frame.heal_s = in_seconds(*result.healed_us);
  auto mark = [&](const std::optional<std::int64_t>& at_us, const char* name) {
    if (at_us) frame.marks.emplace_back(in_seconds(*at_us), name);
  };
  mark(result.detected_us, "noticed");
  mark(result.switched_us, "served elsewhere");
  mark(result.healed_us, "healed");
  mark(result.caught_up_us, "caught up");
  std::sort(frame.marks.begin(), frame.marks.end());
  return frame;
}

std::string tile(const char* name, const std::string& figure, const std::string& note) {
  return fmt::format("<div class='tile'><span>{}</span><b>{}</b><span>{}</span></div>", name,
                     figure, note);
}

std::string figure(const json::value& value, const char* unit) {
  if (!value.is_number()) return "\u2013";
  double number = value.to_number<double>();
  return fmt::format("{:.{}f}{}", number, unit[0] == '\0' ? 0 : number < 10 ? 2 : 1, unit);
}

std::string tiles(const json::object& report) {
  const auto& rto = report.at("rto").as_object();
  const auto& rpo = report.at("rpo").as_object();
  const auto& aims = report.at("objectives").as_object();
  const auto& writes = report.at("writes").as_object();
  const auto& reads = report.at("reads").as_object();
  const auto& equal = report.at("equality").as_object().at("identical");
  return "<div class='tiles'>" +
         tile("RTO", figure(rto.at("total_s"), " s"),
              "target " + figure(aims.at("rto_s"), " s") + "; detect " +
                  figure(rto.at("detect_s"), " s") + ", switch " +
                  figure(rto.at("switch_s"), " s")) +
         tile("RPO", figure(rpo.at("seconds"), " s"),
              "target " + figure(aims.at("rpo_s"), " s") + "; " + figure(rpo.at("writes"), "") +
                  " writes at the " + escaped_of(rpo.at("at"))) +
         tile("Lost in the end", figure(writes.at("lost"), ""),
              "of " + figure(writes.at("acknowledged"), "") + " acknowledged writes") +
         tile("Longest outage", figure(report.at("longest_outage_s"), " s"),
              figure(writes.at("failed_attempts"), "") + " of " +
                  figure(writes.at("attempts"), "") + " attempts failed") +
         tile("Stale reads", figure(reads.at("stale"), ""),
              "of " + figure(reads.at("answered"), "") + " reads") +
         tile("Regions identical",
              equal.is_bool() ? equal.as_bool() ? "yes" : "no" : "\u2013",
              "caught up " + figure(report.at("catch_up").as_object().at("seconds"), " s") +
                  " after the heal") +
         "</div>";
}

std::string timeline_rows(const json::object& report) {
  std::string rows;
  for (const auto& entry : report.at("timeline").as_array()) {
    const auto& event = entry.as_object();
    rows += fmt::format(
        "<tr><td class='at'>{:.1f} s</td><td class='phase'>{}</td><td>{}</td></tr>",
        event.at("at_s").to_number<double>(), escaped_of(event.at("phase")),
        escaped_of(event.at("text")));
  }
  return rows;
}

std::string meanings() {
  std::string out = "<dl>";
  for (const auto& [name, meaning] : definitions())
    out += fmt::format("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(meaning));
  return out + "</dl>";
}

}  // namespace

std::string report_html(const json::object& report, const DrillResult& result) {
  Frame frame = frame_of(result);
  std::string charts =
      draw(frame, "Acknowledged writes per second, by region", throughput(result, frame.end_s)) +
      draw(frame, "Records that wait, by link",
           by_link(result,
                   [](const LinkSample& link) -> std::optional<double> {
                     if (!link.pending_records) return std::nullopt;
                     return static_cast<double>(*link.pending_records);
                   })) +
      draw(frame, "Age of the oldest of them, seconds",
           by_link(result, [](const LinkSample& link) -> std::optional<double> {
             if (!link.oldest_ms) return std::nullopt;
             return *link.oldest_ms / 1e3;
           }));
  std::string missed;
  for (const auto& reason : report.at("missed").as_array())
    missed += "<p class='missed'>" + escaped_of(reason) + "</p>";
  std::string out = fmt::format(
      "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width, initial-scale=1'><title>{0}</title><style>{1}</style></head>"
      "<body><h1>{2} of {3} <span class='badge {4}'>{4}</span></h1><p class='sub'>{0}, began {5}"
      "</p>{6}{7}",
      escaped_of(report.at("id")), kStyle, escaped_of(report.at("scenario")),
      escaped_of(report.at("region")), escaped_of(report.at("verdict")),
      escaped_of(report.at("began")), missed, tiles(report));
  out += charts;
  out += "<h2>Timeline</h2><table>" + timeline_rows(report) + "</table>";
  out += "<h2>All figures</h2><pre>" + escaped(verdict_text(report)) + "</pre>";
  out += "<h2>What they mean</h2>" + meanings();
  out += "<p class='sub'>" + escaped_of(report.at("command")) + "</p></body></html>\n";
  return out;
}

}  // namespace meridian::drill
