// The summary as text, JSON and CSV.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

#include "tools/meridian/replicate/summary.h"

namespace meridian::replicate {
namespace json = boost::json;

namespace {

struct Quantile {
  const char* name;
  double value;
};
constexpr Quantile kQuantiles[] = {{"p50", 0.5},   {"p75", 0.75}, {"p90", 0.9},
                                   {"p95", 0.95},  {"p99", 0.99}, {"p99.9", 0.999}};
constexpr std::size_t kBarWidth = 40;

// One latency of the summary.
struct Series {
  std::string name;   // for programs
  std::string sink;   // or ""
  std::string label;  // for people
  const LagCounts& counts;
};

double ms(std::int64_t us) { return static_cast<double>(us) / 1000.0; }

std::string number(std::uint64_t value) {
  return cli::with_separators(static_cast<std::int64_t>(value));
}

std::vector<Series> series_of(const Summary& summary) {
  std::vector<Series> out;
  if (summary.open_loop)
    out.push_back({"write_corrected", "", "write, since it was due", summary.writes.from_due});
  out.push_back({"write_uncorrected", "", "write, since it was sent", summary.writes.from_sent});
  std::string since = summary.open_loop ? "due" : "sent";
  for (const auto& sink : summary.sinks) {
    out.push_back({"end_to_end", sink.region, "visible in " + sink.region + ", since it was " +
                   since, sink.from_due});
    out.push_back({"lag", sink.region, "visible in " + sink.region + ", since acknowledged",
                   sink.lag});
  }
  return out;
}

double achieved(const Summary& summary) {
  if (summary.seconds <= 0) return 0;
  return static_cast<double>(summary.writes.acknowledged) / summary.seconds;
}

json::object as_json(const LagCounts& counts) {
  json::object out{{"count", counts.count()}};
  for (const auto& quantile : kQuantiles)
    out[quantile.name] = counts.count() == 0
                             ? json::value(nullptr)
                             : json::value(ms(counts.quantile_us(quantile.value)));
  out["max"] = counts.count() == 0 ? json::value(nullptr) : json::value(ms(counts.max_us));
  json::array bars;
  for (const auto& bar : bars_of(counts)) bars.push_back(json::array{ms(bar.bound_us), bar.count});
  out["histogram"] = std::move(bars);
  return out;
}

template <typename Map>
json::object counted(const Map& map) {
  json::object out;
  for (const auto& [name, count] : map) out[name] = count;
  return out;
}

json::object writes_json(const Summary& summary) {
  const WriteTally& writes = summary.writes;
  json::object statuses;
  for (const auto& [status, count] : writes.statuses)
    statuses[status == 0 ? "none" : std::to_string(status)] = count;
  json::object kinds;
  for (Kind kind : kKinds) {
    auto at = writes.by_kind.find(kind);
    kinds[name_of(kind)] = at == writes.by_kind.end() ? 0 : at->second;
  }
  return {{"requested", summary.requested},
          {"requested_per_second", summary.open_loop ? json::value(summary.per_second) : nullptr},
          {"acknowledged", writes.acknowledged},
          {"acknowledged_per_second", achieved(summary)},
          {"failed", writes.failed},
          {"unsent", writes.unsent},
          {"unanswered", summary.unanswered},
          {"by_kind", std::move(kinds)},
          {"statuses", std::move(statuses)},
          {"errors", counted(writes.errors)}};
}

std::string as_json_text(const Summary& summary) {
  json::array sinks;
  for (const auto& sink : summary.sinks)
    sinks.push_back(json::object{{"region", sink.region},
                                 {"seen", sink.seen},
                                 {"unseen", sink.unseen},
                                 {"reads", sink.reads},
                                 {"read_errors", counted(sink.errors)},
                                 {"lag_ms", as_json(sink.lag)},
                                 {"end_to_end_ms", as_json(sink.from_due)}});
  json::value corrected = nullptr;
  if (summary.open_loop) corrected = as_json(summary.writes.from_due);
  return json::serialize(json::object{
             {"table", summary.table},
             {"source", summary.source},
             {"run", summary.run},
             {"loop", summary.open_loop ? "open" : "closed"},
             {"connections", summary.connections},
             {"seconds", summary.seconds},
             {"interrupted", summary.interrupted},
             {"samples", summary.samples},
             {"writes", writes_json(summary)},
             {"latency_ms", json::object{{"corrected", std::move(corrected)},
                                         {"uncorrected", as_json(summary.writes.from_sent)}}},
             {"sinks", std::move(sinks)}}) +
         "\n";
}

std::string as_csv_text(const Summary& summary) {
  cli::Table table{{"latency", "sink", "count"}, {}};
  for (const auto& quantile : kQuantiles)
    table.columns.push_back(std::string(quantile.name) + "_ms");
  for (const char* name : {"max_ms", "requested", "acknowledged", "failed", "unsent", "unseen"})
    table.columns.emplace_back(name);
  for (const auto& series : series_of(summary)) {
    std::vector<std::string> row{series.name, series.sink, std::to_string(series.counts.count())};
    bool none = series.counts.count() == 0;
    for (const auto& quantile : kQuantiles)
      row.push_back(none ? "" : fmt::format("{}", ms(series.counts.quantile_us(quantile.value))));
    row.push_back(none ? "" : fmt::format("{}", ms(series.counts.max_us)));
    for (auto count : {summary.requested, summary.writes.acknowledged, summary.writes.failed,
                       summary.writes.unsent})
      row.push_back(std::to_string(count));
    std::string unseen;
    for (const auto& sink : summary.sinks)
      if (sink.region == series.sink) unseen = std::to_string(sink.unseen);
    row.push_back(unseen);
    table.rows.push_back(std::move(row));
  }
  return cli::as_csv(table);
}

std::string bad_if(std::uint64_t count) {
  return count > 0 ? cli::coloured(number(count), cli::Mood::bad) : "0";
}

std::string counts_text(const Summary& summary) {
  const WriteTally& writes = summary.writes;
  std::string asked = summary.open_loop
                          ? fmt::format("{} ({:.1f} a second)", number(summary.requested),
                                        summary.per_second)
                          : fmt::format("{} (closed loop of {} connections)",
                                        number(summary.requested), summary.connections);
  cli::Table table{{"writes", summary.source}, {{"requested", asked}}};
  auto add = [&table](const char* name, const std::string& value) {
    table.rows.push_back({name, value});
  };
  add("acknowledged", fmt::format("{} ({:.1f} a second)", number(writes.acknowledged),
                                  achieved(summary)));
  add("failed", bad_if(writes.failed));
  if (summary.open_loop) add("never sent", bad_if(writes.unsent));
  if (summary.unanswered > 0) add("not answered yet", number(summary.unanswered));
  std::string kinds;
  for (const auto& [kind, count] : writes.by_kind)
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", name_of(kind), number(count));
  add("of these", kinds.empty() ? "-" : kinds);
  std::string statuses;
  for (const auto& [status, count] : writes.statuses)
    statuses += fmt::format("{}{}: {}", statuses.empty() ? "" : ", ",
                            status == 0 ? "no answer" : std::to_string(status), number(count));
  add("status codes", statuses.empty() ? "-" : statuses);
  for (const auto& [error, count] : writes.errors)
    add("error", fmt::format("{}: {}", error, number(count)));
  for (const auto& sink : summary.sinks) {
    std::string text = fmt::format("{} of {} samples seen", number(sink.seen),
                                   number(sink.seen + sink.unseen));
    if (sink.unseen > 0)
      text = cli::coloured(text, cli::Mood::bad) + ", the others waited for in vain";
    for (const auto& [error, count] : sink.errors)
      text += fmt::format("; reads that failed: {}: {}", error, number(count));
    table.rows.push_back({sink.region, text});
  }
  return cli::as_text(table);
}

std::string percentiles_text(const Summary& summary) {
  cli::Table table{{"latency", "count"}, {}};
  for (const auto& quantile : kQuantiles) table.columns.emplace_back(quantile.name);
  table.columns.emplace_back("max");
  for (const auto& series : series_of(summary)) {
    std::vector<std::string> row{series.label, number(series.counts.count())};
    bool none = series.counts.count() == 0;
    for (const auto& quantile : kQuantiles)
      row.push_back(none ? "-" : cli::readable_ms(ms(series.counts.quantile_us(quantile.value))));
    row.push_back(none ? "-" : cli::readable_ms(ms(series.counts.max_us)));
    table.rows.push_back(std::move(row));
  }
  return cli::as_text(table);
}

std::string histogram_text(const std::string& title, const LagCounts& counts) {
  auto bars = bars_of(counts);
  if (bars.empty()) return {};
  std::uint64_t most = 1;
  for (const auto& bar : bars) most = std::max(most, bar.count);
  cli::Table table{{title, "count", ""}, {}};
  for (const auto& bar : bars) {
    auto width = static_cast<std::size_t>(static_cast<double>(bar.count) * kBarWidth /
                                          static_cast<double>(most) + 0.5);
    std::string drawn;
    for (std::size_t i = 0; i < width; ++i) drawn += "\xe2\x96\xa0";  // a black square
    table.rows.push_back({fmt::format("up to {:g} ms", ms(bar.bound_us)), number(bar.count),
                          width > 0 ? cli::coloured(drawn, cli::Mood::good) : ""});
  }
  return "\n" + cli::as_text(table);
}

std::string people_text(const Summary& summary) {
  std::string out = fmt::format("{} of {}, run {}: {:.1f} s{}\n\n", summary.table, summary.source,
                                summary.run, summary.seconds,
                                summary.interrupted ? ", interrupted" : "");
  out += counts_text(summary) + "\n" + percentiles_text(summary);
  out += summary.open_loop
             ? histogram_text("write latency, since due", summary.writes.from_due)
             : histogram_text("write latency, since sent", summary.writes.from_sent);
  for (const auto& sink : summary.sinks)
    out += histogram_text("lag to " + sink.region, sink.lag);
  if (summary.writes.unsent > 0)
    out += "\nWrites that were never sent count in \"since it was due\" with the time that they "
           "had waited.\n";
  for (const auto& sink : summary.sinks)
    if (sink.unseen > 0)
      out += "\nSamples that " + sink.region + " did not show in time count with the time that "
             "they were waited for.\n";
  return out;
}

}  // namespace

std::string render(const Summary& summary, cli::Format format) {
  switch (format) {
    case cli::Format::json: return as_json_text(summary);
    case cli::Format::csv: return as_csv_text(summary);
    case cli::Format::table: break;
  }
  return people_text(summary);
}

}  // namespace meridian::replicate
