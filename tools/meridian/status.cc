// meridian status: is every region's node and replicator up and ready, what does it hold, and which links
// are not as they should be?
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <set>
#include <utility>
#include <vector>

#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/lag_view.h"
#include "tools/meridian/link.h"
#include "tools/meridian/link_sums.h"
#include "tools/meridian/links.h"
#include "tools/meridian/times.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

// What is shown of one daemon.
struct Daemon {
  bool up = false;      // and told how it is
  bool locked = false;  // it is there, and wants a token
  bool ready = false;
  std::string version;
  std::string reason;  // why not ready or not up
};

Daemon read_daemon(const Fetched& page) {
  Daemon out;
  out.reason = page.problem;
  out.locked = page.status == 401;
  if (!page.body || !page.body->is_object()) return out;
  const json::object& body = page.body->as_object();
  const json::value* ready = body.if_contains("ready");
  out.up = true;
  out.ready = ready != nullptr && ready->is_bool() && ready->as_bool();
  out.version = text_at(body, "version");
  out.reason = out.ready ? "" : text_at(body, "reason", "not ready");
  return out;
}

std::string word_for(const Daemon& daemon) {
  if (daemon.locked) return coloured("locked", Mood::uneasy);
  if (!daemon.up) return coloured("down", Mood::bad);
  return daemon.ready ? coloured("ready", Mood::good) : coloured("not ready", Mood::uneasy);
}

json::object as_json(const Daemon& daemon) {
  return {{"up", daemon.up || daemon.locked},
          {"ready", daemon.ready},
          {"version", daemon.version},
          {"reason", daemon.reason}};
}

struct Holdings {
  std::int64_t tables = 0;
  std::int64_t items = 0;
  bool accepts_writes = false;
  bool clock_stepped = false;
  std::int64_t step_ms = 0;
};

std::int64_t number_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code error;
  return value == nullptr ? 0 : value->to_number<std::int64_t>(error);
}

bool true_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

Holdings read_holdings(const Fetched& page) {
  Holdings out;
  if (!page.body || !page.body->is_object()) return out;
  const json::object& body = page.body->as_object();
  if (const auto* tables = body.if_contains("tables"); tables && tables->is_array()) {
    out.tables = static_cast<std::int64_t>(tables->as_array().size());
    for (const auto& table : tables->as_array())
      if (table.is_object()) out.items += number_at(table.as_object(), "items");
  }
  if (const auto* store = body.if_contains("store"); store && store->is_object())
    out.accepts_writes = true_at(store->as_object(), "accepts_writes");
  if (const auto* clock = body.if_contains("clock"); clock && clock->is_object()) {
    out.clock_stepped = true_at(clock->as_object(), "stepped");
    out.step_ms = number_at(clock->as_object(), "step_ms");
  }
  return out;
}

// A region's workers as one: up when one of them is, since they take over from each other; ready when all
// are.
Daemon together(const std::vector<Daemon>& workers) {
  Daemon out;
  out.reason = "no replicator";
  out.ready = !workers.empty();
  for (const auto& worker : workers) {
    out.ready &= worker.ready;
    if (worker.up) out.version = worker.version;
    out.up |= worker.up;
    out.locked |= worker.locked;
  }
  for (const auto& worker : workers)
    if (!worker.ready) out.reason = worker.reason;
  if (out.ready) out.reason.clear();
  return out;
}

// What to do about a daemon that is down or not ready; to standard error.
void advise(const std::string& region, const char* program, const Daemon& daemon) {
  if (daemon.up && daemon.ready) return;
  std::string line = region + " " + program + ": " + daemon.reason;
  if (!daemon.up && !daemon.locked) line += "; start it with deploy/up --only " + region;
  progress(line);
}

// Faults on purpose, so that nobody looks for another cause; then the links that are not as they should
// be for another reason.
void show_troubled_links(const Deployment& deployment, const std::vector<Link>& links) {
  std::set<std::pair<std::string, std::string>> broken;
  for (const auto& fault : read_faults(deployment).faults) {
    broken.insert({fault.from, fault.to});
    print("link " + fault.from + " -> " + fault.to + ": " + coloured(fault.text, Mood::uneasy) +
          " on purpose, " + readable_ms(fault.left_ms) + " left\n");
  }
  for (const auto& link : links) {
    if (severity(link.state) <= severity("running")) continue;
    if (broken.contains({link.source, link.sink})) continue;
    print("link " + name_of(link) + ": " + coloured(link.state, Mood::uneasy) +
          (link.reason.empty() ? "" : ", " + link.reason) + "; watermark " +
          (link.watermark_us ? time_text_us(*link.watermark_us) : "unknown") + "\n");
  }
}

json::array as_json(const std::vector<Link>& links) {
  json::array out;
  for (const auto& link : links) {
    json::value watermark_us = nullptr;
    if (link.watermark_us) watermark_us = *link.watermark_us;
    out.push_back(json::object{{"source", link.source},
                               {"sink", link.sink},
                               {"state", link.state},
                               {"reason", link.reason},
                               {"watermark_us", watermark_us}});
  }
  return out;
}

}  // namespace

int show_status(const Options& options) {
  Deployment deployment = load_deployment(options.deployment);
  std::vector<Page> pages;
  for (const auto& region : deployment.regions) {
    pages.push_back({region.admin, "/v1/status"});
    for (const auto& worker : region.replicators) pages.push_back({worker, "/v1/status"});
  }
  auto answers = fetch_all(pages);
  Table table{{"region", "node", "replicator", "version", "tables", "items", "writes", "clock"},
              {}};
  json::array list;
  bool all_ready = true;
  std::vector<std::pair<std::string, std::pair<const char*, Daemon>>> daemons;  // region, program
  std::size_t next = 0;
  for (const auto& region : deployment.regions) {
    const std::string& name = region.name;
    const Fetched& page = answers[next++];
    Daemon node = read_daemon(page);
    Holdings holdings = read_holdings(page);
    std::vector<Daemon> workers;
    for (std::size_t i = 0; i < region.replicators.size(); ++i)
      workers.push_back(read_daemon(answers[next++]));
    Daemon replicator = together(workers);
    all_ready &= node.ready && replicator.ready;
    daemons.push_back({name, {"region-node", node}});
    for (const auto& worker : workers) daemons.push_back({name, {"replicator", worker}});
    std::string writes = holdings.accepts_writes ? "accepted" : coloured("refused", Mood::bad);
    std::string clock =
        holdings.clock_stepped
            ? coloured("stepped " + readable_ms(static_cast<double>(holdings.step_ms)), Mood::bad)
            : "trusted";
    table.rows.push_back({name, word_for(node), word_for(replicator), node.up ? node.version : "-",
                          node.up ? with_separators(holdings.tables) : "-",
                          node.up ? with_separators(holdings.items) : "-", node.up ? writes : "-",
                          node.up ? clock : "-"});
    json::object entry{
        {"region", name}, {"node", as_json(node)}, {"replicator", as_json(replicator)}};
    json::array each_worker;
    for (const auto& worker : workers) each_worker.push_back(as_json(worker));
    entry["workers"] = std::move(each_worker);
    entry["status"] = page.body ? *page.body : json::value(nullptr);
    list.push_back(std::move(entry));
  }
  // All tables of a link together.
  std::vector<Link> links;
  if (options.format != Format::csv) links = sum_by_link(read_links(deployment).links);
  json::object all{{"regions", std::move(list)}, {"links", as_json(links)}};
  print_result(options.format, table, json::serialize(all));
  if (options.format == Format::table) {
    show_troubled_links(deployment, links);
    for (const auto& [region, daemon] : daemons) advise(region, daemon.first, daemon.second);
  }
  return all_ready ? kExitYes : kExitNo;
}

int show_ready(const std::string& admin) {
  http::HttpClient client(admin, kFetchMsMax);
  auto answer = client.get("/readyz");
  std::string line = answer.body.substr(0, answer.body.find('\n'));
  progress(line);
  return answer.status == 200 ? kExitYes : kExitNo;
}

}  // namespace meridian::cli
