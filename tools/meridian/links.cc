#include "tools/meridian/links.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <map>
#include <set>
#include <tuple>

#include "tools/meridian/client.h"

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
      link.oldest_pending_ms = number_at<double>(figures, "oldest_pending_ms");
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

void add_replicator(Links& links, const std::string& region, const json::object& status) {
  for (const auto& entry : list_at(status, "links")) {
    const json::object& figures = entry.as_object();
    Link& link = at(links, text_at(figures, "table"), region, text_at(figures, "sink"));
    link.state = text_at(figures, "state");
    link.reason = text_at(figures, "reason");
    link.p50_ms = number_at<double>(figures, "p50_ms");
    link.p95_ms = number_at<double>(figures, "p95_ms");
    link.p99_ms = number_at<double>(figures, "p99_ms");
    link.max_ms = number_at<double>(figures, "max_ms");
    link.clock_offset_ms = number_at<double>(figures, "clock_offset_ms");
    // The node counts what no acknowledgement covers; a replicator that has lost its node only
    // remembers the age of the oldest.
    if (link.pending_records) continue;
    link.pending_records = number_at<std::int64_t>(figures, "pending_records");
    link.oldest_pending_ms = number_at<double>(figures, "oldest_pending_ms");
  }
}

}  // namespace

LinkReport read_links(const Deployment& deployment) {
  std::vector<Page> pages;
  for (const auto& region : deployment.regions) {
    pages.push_back({region.admin, "/v1/status"});
    pages.push_back({region.replicator_admin, "/v1/status"});
  }
  auto answers = fetch_all(pages);
  LinkReport report;
  Links links;
  auto object_of = [&answers](std::size_t i) -> const json::object* {
    return answers[i].body && answers[i].body->is_object() ? &answers[i].body->as_object()
                                                           : nullptr;
  };
  for (std::size_t i = 0; i < deployment.regions.size(); ++i) {
    const std::string& region = deployment.regions[i].name;
    const json::object* node = object_of(2 * i);
    const json::object* replicator = object_of(2 * i + 1);
    report.answered |= node != nullptr || replicator != nullptr;
    if (node != nullptr) add_node(links, region, *node);
    for (std::size_t j = 0; node == nullptr && j < deployment.regions.size(); ++j)
      if (const json::object* other = object_of(2 * j)) add_unheard(links, region, *other);
    if (replicator != nullptr) add_replicator(links, region, *replicator);
    std::string silent = replicator != nullptr ? "starting" : node ? "unreachable" : "unknown";
    for (auto& [key, link] : links)
      if (link.source == region && link.state.empty()) link.state = silent;
    if (node == nullptr)
      report.problems.push_back(region + " region-node: " + answers[2 * i].problem);
    if (replicator == nullptr)
      report.problems.push_back(region + " replicator: " + answers[2 * i + 1].problem);
  }
  for (auto& [key, link] : links) report.links.push_back(std::move(link));
  return report;
}

std::map<std::pair<std::string, std::string>, double> read_offsets(const Deployment& deployment) {
  std::vector<Page> pages;
  for (const auto& region : deployment.regions)
    pages.push_back({region.replicator_admin, "/v1/status"});
  std::map<std::pair<std::string, std::string>, double> out;
  auto answers = fetch_all(pages);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].body || !answers[i].body->is_object()) continue;
    std::optional<double> own;
    std::map<std::string, double> peers;
    for (const auto& entry : list_at(answers[i].body->as_object(), "peers")) {
      const json::object& peer = entry.as_object();
      auto offset = number_at<double>(peer, "clock_offset_ms");
      if (!offset) continue;
      const json::value* is_own = peer.if_contains("own");
      if (is_own != nullptr && is_own->is_bool() && is_own->as_bool()) {
        own = offset;
      } else {
        peers[text_at(peer, "region")] = *offset;
      }
    }
    if (!own) continue;
    for (const auto& [sink, offset] : peers)
      out[{deployment.regions[i].name, sink}] = offset - *own;
  }
  return out;
}

}  // namespace meridian::cli
