#include "tools/meridian/links.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "tools/meridian/client.h"
#include "tools/meridian/link_sums.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

using LinkKey = std::tuple<std::string, std::string, std::string>;  // table, source, sink
using Links = std::map<LinkKey, Link>;

template <typename T>
std::optional<T> number_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  T number = value->to_number<T>(error);
  if (error) return std::nullopt;
  return number;
}

const json::array& list_at(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->as_array() : kNone;
}

Link& at(Links& links, const std::string& table, const std::string& source,
         const std::string& sink) {
  Link& link = links[{table, source, sink}];
  link.table = table;
  link.source = source;
  link.sink = sink;
  return link;
}

// What a node says of its own tables: which links there must be, and what waits on each.
void add_node(Links& links, const std::string& region, const json::object& status) {
  for (const auto& table : list_at(status, "tables")) {
    const json::object& object = table.as_object();
    for (const auto& backlog : list_at(object, "backlog")) {
      const json::object& figures = backlog.as_object();
      Link& link = at(links, text_at(object, "name"), region, text_at(figures, "sink"));
      link.pending_records = number_at<std::int64_t>(figures, "pending_records");
      link.pending_bytes = number_at<std::int64_t>(figures, "pending_bytes");
      link.oldest_pending_ms = number_at<double>(figures, "oldest_pending_ms");
      if (link.pending_records == 0) link.oldest_pending_ms = 0;
    }
  }
}

// What the sinks say of how far they are.  Of a source whose writes none has reached, nothing.
void add_watermarks(Links& links, const std::string& sink, const json::object& status) {
  for (const auto& table : list_at(status, "tables")) {
    const json::object& object = table.as_object();
    const json::value* known = object.if_contains("watermarks_us");
    if (known == nullptr || !known->is_object()) continue;
    for (const auto& [source, value] : known->as_object()) {
      auto at = links.find({text_at(object, "name"), std::string(source), sink});
      if (at == links.end()) continue;
      auto up_to_us = number_at<std::int64_t>(known->as_object(), source);
      if (up_to_us && *up_to_us > 0) at->second.watermark_us = up_to_us;
    }
  }
}

// Links of a region whose node does not answer, as the other nodes' lists of replicas tell.
void add_unheard(Links& links, const std::string& region, const json::object& other_status) {
  for (const auto& table : list_at(other_status, "tables")) {
    const json::object& object = table.as_object();
    std::set<std::string> replicas;
    for (const auto& replica : list_at(object, "replicas")) replicas.emplace(replica.as_string());
    if (!replicas.contains(region)) continue;
    for (const auto& sink : replicas)
      if (sink != region) at(links, text_at(object, "name"), region, sink);
  }
}

template <typename T>
void take_worst(std::optional<T>& value, const std::optional<T>& other) {
  if (other) value = std::max(value.value_or(*other), *other);
}

template <typename T>
void add_up(std::optional<T>& sum, const std::optional<T>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

LagCounts counts_at(const json::object& figures, std::string_view key) {
  LagCounts out;
  const json::value* lag = figures.if_contains(key);
  if (lag == nullptr || !lag->is_object()) return out;
  out.max_us = number_at<std::int64_t>(lag->as_object(), "max_us").value_or(0);
  for (const auto& pair : list_at(lag->as_object(), "counts")) {
    if (!pair.is_array() || pair.as_array().size() != 2) continue;
    boost::system::error_code error;
    auto bound_us = pair.as_array()[0].to_number<std::int64_t>(error);
    auto count = pair.as_array()[1].to_number<std::uint64_t>(error);
    if (!error) out.by_bound[bound_us] += count;
  }
  return out;
}

// One worker's figures.  `counted`: the node has said what is pending, and knows better: it counts what
// no acknowledgement covers, and a replicator that has lost its node only remembers the oldest.
void add_worker(Links& links, const std::string& region, const json::object& status,
                const std::set<LinkKey>& counted) {
  for (const auto& entry : list_at(status, "links")) {
    const json::object& figures = entry.as_object();
    Link& link = at(links, text_at(figures, "table"), region, text_at(figures, "sink"));
    std::string state = text_at(figures, "state");
    if (link.state.empty() || severity(state) > severity(link.state)) {
      link.state = state;
      link.reason = text_at(figures, "reason");
    }
    link.records.add(counts_at(figures, "record_lag"));
    link.probes.add(counts_at(figures, "probe_lag"));
    take_worst(link.applied_us, number_at<std::int64_t>(figures, "applied_us"));
    take_worst(link.probe_us, number_at<std::int64_t>(figures, "probe_us"));
    std::string trend = text_at(figures, "trend");
    if (trend != "unknown" && (link.trend.empty() || trend == "growing")) link.trend = trend;
    link.collapsed_records += number_at<std::int64_t>(figures, "records_collapsed").value_or(0);
    link.collapsed_bytes += number_at<std::int64_t>(figures, "bytes_collapsed").value_or(0);
    if (!link.clock_offset_ms) link.clock_offset_ms = number_at<double>(figures, "clock_offset_ms");
    if (counted.contains({link.table, link.source, link.sink})) continue;
    add_up(link.pending_records, number_at<std::int64_t>(figures, "pending_records"));
    add_up(link.pending_bytes, number_at<std::int64_t>(figures, "pending_bytes"));
    take_worst(link.oldest_pending_ms, number_at<double>(figures, "oldest_pending_ms"));
  }
}

// What the daemons of one region say of themselves; empty: no answer.
struct RegionPages {
  Fetched node;
  Fetched repairs;  // of the node
  std::vector<Fetched> workers;
};

std::vector<RegionPages> fetch_regions(const Deployment& deployment, const std::string& of_worker) {
  std::vector<Page> pages;
  for (const auto& region : deployment.regions) {
    pages.push_back({region.admin, "/v1/status"});
    pages.push_back({region.admin, "/v1/repairs"});
    for (const auto& worker : region.replicators) pages.push_back({worker, of_worker});
  }
  auto answers = fetch_all(pages);
  std::vector<RegionPages> out;
  auto next = answers.begin();
  for (const auto& region : deployment.regions) {
    RegionPages& each = out.emplace_back();
    each.node = std::move(*next++);
    each.repairs = std::move(*next++);
    for (std::size_t i = 0; i < region.replicators.size(); ++i)
      each.workers.push_back(std::move(*next++));
  }
  return out;
}

const json::object* object_of(const Fetched& page) {
  return page.body && page.body->is_object() ? &page.body->as_object() : nullptr;
}

// A repair moves rows both ways, so both links between the two regions are under repair, whichever of
// them began it.  A link that is cut, say, stays that: it keeps the repair from going on.
void add_repairs(Links& links, const std::string& region, const json::object& page) {
  for (const auto& entry : list_at(page, "repairs")) {
    const json::object& repair = entry.as_object();
    if (text_at(repair, "doing") != "repair") continue;
    std::string table = text_at(repair, "table");
    std::string peer = text_at(repair, "peer");
    std::string why = text_at(repair, "needed");
    for (const LinkKey& key : {LinkKey(table, region, peer), LinkKey(table, peer, region)}) {
      auto at = links.find(key);
      if (at == links.end()) continue;
      Link& link = at->second;
      if (link.state != "repair_needed" && severity(link.state) >= severity("paused")) continue;
      link.state = "repairing";
      link.reason = region + " repairs the table with " + peer + (why.empty() ? "" : ": " + why);
    }
  }
}

// Of tables whose sink has records in quarantine: whose they are.
void add_quarantine(Links& links, const Deployment& deployment,
                    const std::vector<RegionPages>& pages) {
  std::vector<Page> wanted;
  std::vector<std::pair<std::string, std::string>> of;  // table, sink
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const json::object* node = object_of(pages[i].node);
    if (node == nullptr) continue;
    for (const auto& table : list_at(*node, "tables")) {
      const json::object& object = table.as_object();
      if (number_at<std::int64_t>(object, "parked").value_or(0) == 0) continue;
      of.emplace_back(text_at(object, "name"), deployment.regions[i].name);
      wanted.push_back({deployment.regions[i].admin,
                        "/v1/tables/" + of.back().first + "/quarantine"});
    }
  }
  if (wanted.empty()) return;
  auto answers = fetch_all(wanted);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (object_of(answers[i]) == nullptr) continue;
    for (const auto& record : list_at(*object_of(answers[i]), "records")) {
      auto at = links.find({of[i].first, text_at(record.as_object(), "source"), of[i].second});
      if (at != links.end()) ++at->second.parked;
    }
  }
  for (auto& [key, link] : links) {
    if (link.parked == 0 || severity(link.state) >= severity("quarantined")) continue;
    link.state = "quarantined";
    link.reason = std::to_string(link.parked) + " records wait in the quarantine of " + link.sink;
  }
}

}  // namespace

LinkReport read_links(const Deployment& deployment, std::int64_t window_ms) {
  auto pages = fetch_regions(deployment, "/v1/lag?window_ms=" + std::to_string(window_ms));
  LinkReport report;
  Links links;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::string& region = deployment.regions[i].name;
    const json::object* node = object_of(pages[i].node);
    if (node != nullptr) {
      add_node(links, region, *node);
    } else {
      report.problems.push_back(region + " region-node: " + pages[i].node.problem);
      for (const auto& other : pages)
        if (const json::object* told = object_of(other.node)) add_unheard(links, region, *told);
    }
    report.answered |= node != nullptr;
    std::set<LinkKey> counted;
    for (const auto& [key, link] : links)
      if (link.source == region && link.pending_records) counted.insert(key);
    bool any = false;
    for (const auto& worker : pages[i].workers) {
      const json::object* status = object_of(worker);
      any |= status != nullptr;
      if (status != nullptr) add_worker(links, region, *status, counted);
      if (status == nullptr) report.problems.push_back(region + " replicator: " + worker.problem);
    }
    report.answered |= any;
    std::string silent = any ? "starting" : node ? "unreachable" : "unknown";
    for (auto& [key, link] : links)
      if (link.source == region && link.state.empty()) link.state = silent;
  }
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::string& region = deployment.regions[i].name;
    if (const json::object* node = object_of(pages[i].node)) add_watermarks(links, region, *node);
    if (const json::object* page = object_of(pages[i].repairs)) add_repairs(links, region, *page);
  }
  add_quarantine(links, deployment, pages);
  for (auto& [key, link] : links) report.links.push_back(std::move(link));
  return report;
}

namespace {

// By peer: its clock minus the worker's; the own node under an empty name.
std::map<std::string, double> offsets_of(const json::object& worker) {
  std::map<std::string, double> out;
  for (const auto& entry : list_at(worker, "peers")) {
    const json::object& peer = entry.as_object();
    auto offset = number_at<double>(peer, "clock_offset_ms");
    if (!offset) continue;
    const json::value* own = peer.if_contains("own");
    bool is_own = own != nullptr && own->is_bool() && own->as_bool();
    out[is_own ? "" : text_at(peer, "region")] = *offset;
  }
  return out;
}

}  // namespace

std::map<std::pair<std::string, std::string>, double> read_offsets(const Deployment& deployment) {
  std::map<std::pair<std::string, std::string>, double> out;
  auto pages = fetch_regions(deployment, "/v1/status");
  for (std::size_t i = 0; i < pages.size(); ++i)
    for (const auto& worker : pages[i].workers) {
      if (object_of(worker) == nullptr) continue;
      auto offsets = offsets_of(*object_of(worker));
      auto own = offsets.find("");
      if (own == offsets.end()) continue;
      for (const auto& [sink, offset] : offsets)
        if (!sink.empty()) out[{deployment.regions[i].name, sink}] = offset - own->second;
    }
  return out;
}

}  // namespace meridian::cli
