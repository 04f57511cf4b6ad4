#include "tools/meridian/lag_view.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <cmath>

#include "tools/meridian/link_sums.h"
#include "tools/meridian/times.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

template <typename T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::value or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object as_json(const Link& link) {
  json::object out;
  if (!link.table.empty()) out["table"] = link.table;
  out["source"] = link.source;
  out["sink"] = link.sink;
  out["state"] = link.state;
  out["reason"] = link.reason;
  out["p50_ms"] = or_null(link.quantile_ms(0.50));
  out["p95_ms"] = or_null(link.quantile_ms(0.95));
  out["p99_ms"] = or_null(link.quantile_ms(0.99));
  out["max_ms"] = or_null(link.max_ms());
  out["measured_by"] = or_null(link.measured_by());
  out["measured"] = link.lag().count();
  out["pending_records"] = or_null(link.pending_records);
  out["pending_bytes"] = or_null(link.pending_bytes);
  out["oldest_pending_ms"] = or_null(link.oldest_pending_ms);
  out["trend"] = or_null(link.trend);
  out["applied_us"] = or_null(link.applied_us);
  out["probe_us"] = or_null(link.probe_us);
  out["watermark_us"] = or_null(link.watermark_us);
  out["clock_offset_ms"] = or_null(link.clock_offset_ms);
  out["parked_records"] = link.parked;
  out["collapsed_records"] = link.collapsed_records;
  out["collapsed_bytes"] = link.collapsed_bytes;
  return out;
}

std::string state_word(const std::string& state) {
  if (severity(state) <= severity("running")) return coloured(state, Mood::good);
  bool bad = severity(state) >= severity("repair_needed");
  return coloured(state, bad ? Mood::bad : Mood::uneasy);
}

std::string readable(const std::optional<double>& ms) { return ms ? readable_ms(*ms) : "-"; }

std::string count_of(const std::optional<std::int64_t>& value) {
  return value ? with_separators(*value) : "unknown";
}

// A lag that was measured by probes alone is marked.
std::string lag_word(const Link& link, const std::optional<double>& ms) {
  return link.measured_by() == "probes" ? "~" + readable(ms) : readable(ms);
}

std::string oldest_word(const Link& link) {
  return link.pending_records == 0 ? "-" : readable(link.oldest_pending_ms);
}

std::string watermark_word(const Link& link) {
  return link.watermark_us ? time_text_us(*link.watermark_us) : "-";
}

Table people_table(const std::vector<Link>& links, Rows rows) {
  Table table{{"source", "sink", "state", "p50", "p95", "p99", "max", "pending", "bytes", "oldest",
               "trend", "watermark", "clock_offset", "reason"},
              {}};
  bool tables = rows == Rows::all;
  if (tables) table.columns.insert(table.columns.begin(), "table");
  for (const auto& link : links) {
    std::vector<std::string> row{link.source,
                                 link.sink,
                                 state_word(link.state),
                                 lag_word(link, link.quantile_ms(0.50)),
                                 lag_word(link, link.quantile_ms(0.95)),
                                 lag_word(link, link.quantile_ms(0.99)),
                                 lag_word(link, link.max_ms()),
                                 count_of(link.pending_records),
                                 count_of(link.pending_bytes),
                                 oldest_word(link),
                                 link.trend.empty() ? "-" : link.trend,
                                 watermark_word(link),
                                 readable(link.clock_offset_ms),
                                 link.reason};
    if (tables) row.insert(row.begin(), link.table);
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table raw_table(const std::vector<Link>& links) {
  Table table{{}, {}};
  for (const auto& link : links) {
    json::object object = as_json(link);
    bool first = table.columns.empty();
    std::vector<std::string> row;
    for (const auto& [name, value] : object) {
      if (first) table.columns.emplace_back(name);
      if (value.is_null()) {
        row.emplace_back();
      } else if (value.is_string()) {
        row.emplace_back(value.as_string());
      } else {
        row.push_back(json::serialize(value));
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string people_text(const std::vector<Link>& links, Rows rows) {
  if (links.empty()) return "no table has a replica in another region yet\n";
  auto sums = sum_by_link(links);
  if (rows == Rows::sums) return as_text(people_table(sums, Rows::sums));
  std::string out = as_text(people_table(links, Rows::all));
  if (sums.size() < links.size())
    out += "\nAll tables of a link\n" + as_text(people_table(sums, Rows::sums));
  bool probed = false;
  for (const auto& link : links) {
    probed |= link.measured_by() == "probes";
    if (link.collapsed_records > 0)
      out += "\n" + name_of(link) + ": " + with_separators(link.collapsed_records) +
             " records (" + with_separators(link.collapsed_bytes) +
             " bytes) of its backlog were not shipped, because newer ones of their keys were\n";
  }
  if (probed) out += "\n~ no record arrived in the window; measured by probes\n";
  return out;
}

}  // namespace

std::vector<Link> filtered(std::vector<Link> links, const LagFilter& filter) {
  auto fits = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || wanted == is;
  };
  std::erase_if(links, [&](const Link& link) {
    return !fits(filter.table, link.table) || !fits(filter.source, link.source) ||
           !fits(filter.sink, link.sink);
  });
  return links;
}

std::string render(const std::vector<Link>& links, Format format, Rows rows) {
  if (format == Format::table) return people_text(links, rows);
  auto sums = sum_by_link(links);
  if (format == Format::csv) return as_csv(raw_table(rows == Rows::sums ? sums : links));
  json::array list;
  json::array sum_list;
  if (rows == Rows::all)
    for (const auto& link : links) list.push_back(as_json(link));
  for (const auto& sum : sums) sum_list.push_back(as_json(sum));
  json::object out;
  if (rows == Rows::all) out["links"] = std::move(list);
  out["sums"] = std::move(sum_list);
  return json::serialize(out) + "\n";
}

std::string name_of(const Link& link) {
  std::string out = link.source + " -> " + link.sink;
  return link.table.empty() ? out : link.table + " " + out;
}

std::string file_for(const std::string& path, const Link& link) {
  std::string name = link.source + "-" + link.sink;
  return file_for(path, link.table.empty() ? name : link.table + "-" + name);
}

void TrendKeeper::complete(std::vector<Link>& links) {
  std::map<std::string, double> now;
  for (auto& link : links) {
    if (!link.oldest_pending_ms) continue;
    std::string name = name_of(link);
    double oldest_ms = *link.oldest_pending_ms;
    now[name] = oldest_ms;
    auto before = oldest_ms_.find(name);
    if (!link.trend.empty() || before == oldest_ms_.end()) continue;
    link.trend = oldest_ms > before->second   ? "growing"
                 : oldest_ms < before->second ? "shrinking"
                                              : "steady";
  }
  oldest_ms_ = std::move(now);
}

}  // namespace meridian::cli
