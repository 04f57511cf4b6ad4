#include "tools/meridian/drill/watch.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <deque>
#include <set>

#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/drill/load.h"
#include "tools/meridian/link_sums.h"

namespace meridian::drill {
namespace json = boost::json;

namespace {

template <typename T>
std::optional<T> number(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  T out = value->to_number<T>(error);
  if (error) return std::nullopt;
  return out;
}

bool ready_of(const cli::Fetched& page, std::string& reason) {
  reason = page.problem;
  if (!page.body || !page.body->is_object()) return false;
  const json::object& body = page.body->as_object();
  const json::value* ready = body.if_contains("ready");
  if (ready != nullptr && ready->is_bool() && ready->as_bool()) return true;
  reason = cli::text_at(body, "reason", "not ready");
  return false;
}

LinkSample& link_to(Sample& sample, const std::string& sink) {
  for (auto& link : sample.links)
    if (link.sink == sink) return link;
  sample.links.push_back({});
  sample.links.back().sink = sink;
  return sample.links.back();
}

const json::array* list_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? &value->as_array() : nullptr;
}

void read_node(Sample& sample, const json::object& status) {
  sample.node_id = cli::text_at(status, "node_id");
  sample.version = cli::text_at(status, "version");
  const json::array* tables = list_at(status, "tables");
  if (tables == nullptr) return;
  for (const auto& table : *tables) {
    sample.parked += number<std::int64_t>(table.as_object(), "parked").value_or(0);
    if (cli::text_at(table.as_object(), "name") != kTable) continue;
    const json::array* backlogs = list_at(table.as_object(), "backlog");
    if (backlogs == nullptr) continue;
    for (const auto& entry : *backlogs) {
      const json::object& backlog = entry.as_object();
      LinkSample& link = link_to(sample, cli::text_at(backlog, "sink"));
      link.pending_records = number<std::int64_t>(backlog, "pending_records");
      link.oldest_ms = number<double>(backlog, "oldest_pending_ms");
      if (link.pending_records == 0) link.oldest_ms = 0;
    }
  }
}

template <typename T>
void take_worst(std::optional<T>& value, const std::optional<T>& other) {
  if (other) value = std::max(value.value_or(*other), *other);
}

// One worker's shards.  `counted`: the sinks for which the node has said what waits, and knows better.
void read_worker(Sample& sample, const json::object& status,
                 const std::set<std::string>& counted) {
  const json::array* links = list_at(status, "links");
  if (links == nullptr) return;
  for (const auto& entry : *links) {
    const json::object& figures = entry.as_object();
    if (cli::text_at(figures, "table") != kTable) continue;
    LinkSample& link = link_to(sample, cli::text_at(figures, "sink"));
    std::string state = cli::text_at(figures, "state");
    if (link.state.empty() || cli::severity(state) > cli::severity(link.state)) link.state = state;
    take_worst(link.p99_ms, number<double>(figures, "p99_ms"));
    if (!link.clock_offset_ms) link.clock_offset_ms = number<double>(figures, "clock_offset_ms");
    if (counted.contains(link.sink)) continue;
    if (auto more = number<std::int64_t>(figures, "pending_records"))
      link.pending_records = link.pending_records.value_or(0) + *more;
    take_worst(link.oldest_ms, number<double>(figures, "oldest_pending_ms"));
  }
}

// Asks every worker; ready when all are.
void read_workers(Sample& sample, std::deque<cli::AdminClient>& workers) {
  std::set<std::string> counted;
  for (const auto& link : sample.links)
    if (link.pending_records) counted.insert(link.sink);
  sample.replicator_ready = true;
  for (auto& worker : workers) {
    std::string why;
    auto said = cli::fetch(worker, "/v1/status");
    sample.replicator_ready &= ready_of(said, why);
    if (said.body && said.body->is_object()) read_worker(sample, said.body->as_object(), counted);
    if (sample.reason.empty() && !why.empty()) sample.reason = "replicator: " + why;
  }
}

}  // namespace

Watch::Watch(const cli::Deployment& deployment, const Clock& clock, std::int64_t began_us)
    : deployment_(deployment),
      clock_(clock),
      began_us_(began_us),
      latest_(deployment.regions.size()) {
  for (std::size_t i = 0; i < deployment_.regions.size(); ++i)
    threads_.emplace_back([this, i] { run(i); });
}

Watch::~Watch() {
  ending_ = true;
  for (auto& thread : threads_) thread.join();
}

std::vector<Sample> Watch::latest() const {
  std::lock_guard lock(mutex_);
  std::vector<Sample> out;
  for (const auto& sample : latest_) {
    if (!sample) return {};
    out.push_back(*sample);
  }
  return out;
}

std::vector<Sample> Watch::samples() const {
  std::lock_guard lock(mutex_);
  return samples_;
}

void Watch::run(std::size_t index) {
  const auto& region = deployment_.regions[index];
  cli::AdminClient node(region.admin, kAskMsMax);
  std::deque<cli::AdminClient> workers;  // preflight saw one at least
  for (const auto& address : region.replicators) workers.emplace_back(address, kAskMsMax);
  while (!ending_) {
    Sample sample;
    sample.region = region.name;
    sample.at_us = clock_.monotonic_us() - began_us_;
    auto said = cli::fetch(node, "/v1/status");
    sample.node_ready = ready_of(said, sample.reason);
    if (said.body && said.body->is_object()) read_node(sample, said.body->as_object());
    read_workers(sample, workers);
    {
      std::lock_guard lock(mutex_);
      latest_[index] = sample;
      samples_.push_back(std::move(sample));
    }
    cli::pause_ms(kAskEveryMs);
  }
}

}  // namespace meridian::drill
