#include "region-node/admin/clock.h"

#include <boost/json/array.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <future>
#include <memory>

#include "region-node/admin/quarantine.h"

namespace meridian::admin {
namespace json = boost::json;

namespace {

std::string name_of(const RegionId& region) { return std::string(region.name()); }

http::Response release(store::Store& store, const Target& target) {
  auto source = RegionId::parse(target.value("source"));
  if (!source || *source == store.region())
    return complain(400, "source must be the name of another region");
  conflict::Hlc until;
  std::string text = target.value("until");
  if (text.empty()) {
    for (const auto& held : store.clock_report().held)
      if (held.source == *source) until = held.furthest;
    if (until == conflict::Hlc{})
      return complain(409, "nothing of " + name_of(*source) + " is held here now");
  } else {
    std::int64_t until_ms = 0;
    const char* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data(), end, until_ms);
    if (error != std::errc() || stop != end || until_ms <= 0 || until_ms >= (std::int64_t{1} << 46))
      return complain(400, "until must be a time in milliseconds since 1970");
    until = conflict::Hlc::at_ms(until_ms);
  }
  auto told = std::make_shared<std::promise<bool>>();
  auto taken = told->get_future();
  store.release_versions(*source, until, [told](bool done) { told->set_value(done); });
  bool answered = taken.wait_for(std::chrono::milliseconds(kDecisionMsMax)) ==
                  std::future_status::ready;
  if (!answered || !taken.get()) return complain(503, "the store refuses writes; see /readyz");
  return answer(200, {{"source", name_of(*source)}, {"until_ms", until.physical_ms()}});
}

}  // namespace

json::object clock_json(const store::ClockReport& report) {
  json::array held;
  for (const auto& each : report.held)
    held.push_back(json::object{{"source", name_of(each.source)},
                                {"flows", each.flows},
                                {"ahead_ms", each.ahead_ms},
                                {"for_ms", each.for_ms},
                                {"until_ms", each.furthest.physical_ms()}});
  json::array released;
  for (const auto& [region, until] : report.released)
    released.push_back(
        json::object{{"source", name_of(region)}, {"until_ms", until.physical_ms()}});
  return {{"stepped", report.stepped},
          {"step_ms", report.step_ms},
          {"bound_ms", report.bound_ms},
          {"minted_ahead_ms", report.minted_ahead_ms},
          {"held", std::move(held)},
          {"released", std::move(released)}};
}

http::Response serve_clock(store::Store& store, const Target& target, const std::string& method) {
  if (method == "GET" && target.path == "/v1/clock") {
    json::object body = clock_json(store.clock_report());
    body["region"] = name_of(store.region());
    return answer(200, body);
  }
  if (method == "POST" && target.path == "/v1/clock/accept") {
    store.accept_clock();
    return answer(200, {{"accepted", true}});
  }
  if (method == "POST" && target.path == "/v1/clock/release") return release(store, target);
  return complain(405, "GET /v1/clock, POST /v1/clock/accept, POST /v1/clock/release");
}

void collect_clock(const store::Store& store, MetricsPage& page) {
  store::ClockReport report = store.clock_report();
  auto seconds = [](std::int64_t ms) { return static_cast<double>(ms) / 1e3; };
  page.gauge("meridian_clock_stepped", "1 while the wall clock is not trusted after a step.",
             report.stepped);
  page.gauge("meridian_clock_step_seconds", "Wall clock minus expected time at the last sample.",
             seconds(report.step_ms));
  page.gauge("meridian_clock_minted_ahead_seconds",
             "Newest version of this region minus its clock; beyond the bound, writes are refused.",
             seconds(report.minted_ahead_ms));
  std::map<RegionId, store::HeldSource> held;  // every peer has its line, so that an alarm can clear
  for (const auto& [name, table] : store.catalog()->by_name)
    for (const RegionId& peer : table->peers(store.region())) held[peer];
  for (const auto& each : report.held) held[each.source] = each;
  for (const auto& [source, each] : held) {
    MetricLabels labels{{"source", name_of(source)}};
    page.gauge("meridian_clock_held_flows",
               "Flows of a region whose versions lie beyond the clock bound: nothing is applied.",
               static_cast<double>(each.flows), labels);
    page.gauge("meridian_clock_held_ahead_seconds", "How far ahead of the clock here they are.",
               seconds(std::max<std::int64_t>(0, each.ahead_ms)), labels);
  }
}

}  // namespace meridian::admin
