#include "tools/bench/regions.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "common/clock.h"
#include "common/http/client.h"
#include "tools/bench/feeder.h"
#include "tools/bench/ports.h"
#include "tools/bench/report.h"
#include "tools/bench/requests.h"
#include "tools/bench/source.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

constexpr std::int64_t kRegionPollUs = 20'000;
constexpr std::int64_t kStandstillMsMax = 60'000;  // without a record applied
constexpr const char* kCutFor = "/cut?for_ms=3600000";

json::object body_of(const http::ClientResponse& answer, const std::string& what) {
  if (answer.status != 200) throw std::runtime_error(what + " failed: " + answer.body);
  return json::parse(answer.body).as_object();
}

// Until the region has applied so many records.
void wait_applied(Region& region, std::uint64_t records) {
  SystemClock clock;
  std::uint64_t seen = 0;
  std::int64_t moved_ms = clock.monotonic_ms();
  for (;;) {
    region.node.process().check_alive();
    std::uint64_t now = node_counters(region.ports.admin).records;
    if (now >= records) return;
    if (now != seen) moved_ms = clock.monotonic_ms();
    seen = now;
    if (clock.monotonic_ms() - moved_ms > kStandstillMsMax)
      throw std::runtime_error(
          fmt::format("{} stands still at {} of {} rows", region.ports.region, now, records));
    pause_us(kRegionPollUs);
  }
}

void on_link(const Region& one, const Region& other, const std::string& what) {
  for (const auto& [from, to] : {std::pair{&one, &other}, std::pair{&other, &one}})
    for (std::uint16_t port : {from->ports.admin, from->ports.replicator})
      admin_post(port, "/v1/links/" + to->ports.region + what);
}

std::string written_deployment(const WorkDir& dir, const std::vector<Region*>& regions) {
  std::string file = dir.path() + "/deployment.yaml";
  std::ofstream out(file);
  out << "regions:\n";
  for (const auto* region : regions)
    out << fmt::format(
        "  - {{name: {}, table: \"{}\", streams: \"{}\", admin: \"{}\", peer: \"{}\","
        " replicator_admin: \"{}\"}}\n",
        region->ports.region, loopback(region->ports.table), loopback(region->ports.streams),
        loopback(region->ports.admin), loopback(region->ports.peer),
        loopback(region->ports.replicator));
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
  return file;
}

}  // namespace

Region::Region(const Options& options, const WorkDir& dir, const RegionPorts& own,
               const std::vector<RegionPorts>& peers, const std::string& settings)
    : ports(own),
      node(make_node(options, dir, own, peers, settings)),
      replicator(make_replicator(dir, own, peers)) {}

void Region::start() {
  node.start();
  replicator.start();
}

void Region::stop() {
  replicator.stop();
  node.stop();
}

void Region::kill() {
  node.process().kill();
  replicator.process().kill();
}

void Region::check_alive() {
  node.process().check_alive();
  replicator.process().check_alive();
}

json::object table_call(std::uint16_t port, const std::string& operation, const std::string& body) {
  return body_of(http::HttpClient(loopback(port))
                     .post("/", body,
                           {{"Content-Type", "application/x-amz-json-1.0"},
                            {"X-Amz-Target", "DynamoDB_20120810." + operation}}),
                 operation);
}

json::object admin_page(std::uint16_t port, const std::string& target) {
  return body_of(http::HttpClient(loopback(port)).get(target), target);
}

void admin_post(std::uint16_t port, const std::string& target) {
  body_of(http::HttpClient(loopback(port)).post(target, ""), target);
}

void cut_link(const Region& one, const Region& other) { on_link(one, other, kCutFor); }
void heal_link(const Region& one, const Region& other) { on_link(one, other, "/heal"); }

void create_filled(const Options& options, const WorkDir& dir, const std::vector<Region*>& regions,
                   std::uint64_t rows) {
  Region& first = *regions.front();
  std::vector<RegionPorts> peers;
  std::vector<std::string> names;
  for (std::size_t i = 1; i < regions.size(); ++i) {
    regions[i]->node.start();
    peers.push_back(regions[i]->ports);
    names.push_back(regions[i]->ports.region);
  }
  {
    Source source(options, dir, first.ports, peers);
    first.replicator.start();
    auto table = source.create_table(std::string(kTable), names);
    Feeder feeder(options, source.store(), table->id);
    feeder.feed({.variety = Variety::new_keys,
                 .group = 100,
                 .per_second = 0,
                 .run_ms = 0,
                 .rows_max = rows});
    for (std::size_t i = 1; i < regions.size(); ++i) wait_applied(*regions[i], feeder.size());
    first.replicator.stop();
  }
  first.start();
  for (std::size_t i = 1; i < regions.size(); ++i) regions[i]->replicator.start();
  dir.settle();
}

Verified run_verify(const WorkDir& dir, const std::vector<Region*>& regions,
                    const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{program_folder() + "/meridian", "--deployment",
                                written_deployment(dir, regions), "verify", std::string(kTable),
                                "-o", "json"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  Ended ended = run_program(argv, dir.path());
  if (ended.code != 0 && ended.code != 1) {
    for (auto* region : regions) region->check_alive();  // says more, if one has ended
    throw std::runtime_error("meridian verify failed:\n" + ended.errors);
  }
  Verified out;
  out.report = json::parse(ended.output).as_object();
  out.identical = out.report.at("identical").as_bool();
  out.items = out.report.at("items").to_number<std::uint64_t>();
  out.differing = out.report.at("differing").to_number<std::uint64_t>();
  out.seconds = ended.seconds;
  return out;
}

}  // namespace meridian::bench
