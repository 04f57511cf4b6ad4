// meridian lag: how far is every region behind every other, per table and link?
//
// The figures of a link come from its source's replicator.  When that does not answer, what waits
// is read from the source's node, and what cannot be known is shown as such, never as zero.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/links.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

template <typename T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object as_json(const Link& link) {
  return {{"table", link.table},
          {"source", link.source},
          {"sink", link.sink},
          {"state", link.state},
          {"reason", link.reason},
          {"p50_ms", or_null(link.p50_ms)},
          {"p95_ms", or_null(link.p95_ms)},
          {"p99_ms", or_null(link.p99_ms)},
          {"max_ms", or_null(link.max_ms)},
          {"pending_records", or_null(link.pending_records)},
          {"oldest_pending_ms", or_null(link.oldest_pending_ms)},
          {"clock_offset_ms", or_null(link.clock_offset_ms)}};
}

std::string state_word(const std::string& state) {
  if (state == "waiting" || state == "running") return coloured(state, Mood::good);
  if (state == "unreachable" || state == "repair_needed") return coloured(state, Mood::bad);
  return coloured(state, Mood::uneasy);
}

std::string readable(const std::optional<double>& ms) { return ms ? readable_ms(*ms) : "-"; }

Table people_table(const std::vector<Link>& links) {
  Table table{{"table", "source", "sink", "state", "p50", "p95", "p99", "max", "pending", "oldest",
               "clock_offset", "reason"},
              {}};
  for (const auto& link : links)
    table.rows.push_back({link.table, link.source, link.sink, state_word(link.state),
                          readable(link.p50_ms), readable(link.p95_ms), readable(link.p99_ms),
                          readable(link.max_ms),
                          link.pending_records ? with_separators(*link.pending_records) : "unknown",
                          link.pending_records == 0 ? "-" : readable(link.oldest_pending_ms),
                          readable(link.clock_offset_ms), link.reason});
  return table;
}

Table raw_table(const json::array& links) {
  Table table{{}, {}};
  if (links.empty()) return table;
  for (const auto& [name, value] : links.front().as_object()) table.columns.emplace_back(name);
  for (const auto& link : links) {
    std::vector<std::string> row;
    for (const auto& [name, value] : link.as_object()) {
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

std::string render(const std::vector<Link>& links, Format format) {
  if (format == Format::table) {
    if (links.empty()) return "no table has a replica in another region yet\n";
    return as_text(people_table(links));
  }
  json::array list;
  for (const auto& link : links) list.push_back(as_json(link));
  return format == Format::csv ? as_csv(raw_table(list))
                               : json::serialize(json::object{{"links", list}}) + "\n";
}

}  // namespace

int show_lag(const Options& options, const LagOptions& lag) {
  Deployment deployment = load_deployment(options.deployment);
  for (;;) {
    LinkReport report = read_links(deployment);
    std::string text = render(report.links, options.format);
    if (lag.watch && to_terminal() && options.format == Format::table)
      text = "\x1b[H\x1b[2J" + text + "\nevery " + std::to_string(lag.interval_ms) +
             " ms, Ctrl-C ends\n";
    print(text);
    if (!lag.watch) {
      for (const auto& problem : report.problems) progress(problem);
      return report.answered ? kExitYes : kExitUnreachable;
    }
    pause_ms(lag.interval_ms);
  }
}

}  // namespace meridian::cli
