#include "tools/bench/agreement_bench.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <stdexcept>
#include <string>

#include "common/http/client.h"
#include "tools/bench/feeder.h"
#include "tools/bench/lag_bench.h"
#include "tools/bench/pair.h"
#include "tools/bench/ports.h"
#include "tools/bench/requests.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

constexpr double kIdle = 1;        // records a second, besides the prober's
constexpr double kSteady = 15'000;
constexpr int kDelayMs = 80;
// A fault ends by itself, so it is asked for longer than a case can take.
constexpr std::int64_t kFaultMs = 600'000;

struct Case {
  const char* name;
  double per_second;
  int delay_ms;
};
constexpr Case kCases[] = {
    {"idle", kIdle, 0}, {"steady_load", kSteady, 0}, {"idle_delayed", kIdle, kDelayMs}};

// What the replicator reports of its only link.
json::object reported(const Pair& pair) {
  http::HttpClient client(loopback(pair.source_ports().replicator));
  auto answer = client.get("/v1/status");
  if (answer.status != 200) throw std::runtime_error("the replicator does not tell its status");
  auto status = json::parse(answer.body);
  const auto& link = status.at("links").at(0);
  return {{"p50", link.at("p50_ms")},
          {"p95", link.at("p95_ms")},
          {"p99", link.at("p99_ms")},
          {"max", link.at("max_ms")},
          {"records", link.at("records")}};
}

void link(const Pair& pair, const std::string& change) {
  http::HttpClient client(loopback(pair.source_ports().replicator));
  auto answer = client.post("/v1/links/" + pair.sink_ports().region + "/" + change, "");
  if (answer.status != 200) throw std::runtime_error("link fault refused: " + answer.body);
}

json::object run_case(const Options& options, const Case& one) {
  progress(fmt::format("agreement: {}", one.name));
  WorkDir dir(options.dir);
  Pair pair(options, dir);
  auto table = pair.create_table(std::string(kTable));
  Feeder feeder(options, pair.source().store(), table->id);
  // A flow's beginning takes longer than what is measured, and would fall to whoever counts fewer records.
  auto before = pair.sink();
  pair.wait_for(before.records +
                feeder.feed({.variety = Variety::new_keys, .rows_max = 1}).rows);
  if (one.delay_ms > 0)
    link(pair, fmt::format("delay?for_ms={}&delay_ms={}", kFaultMs, one.delay_ms));
  Lag seen;
  run_lag(options, pair, feeder, table->id, one.per_second, seen);
  if (one.delay_ms > 0) link(pair, "heal");
  return {{"probed", as_json(seen)},
          {"probed_since_sent", latency_ms(seen.since_sent)},
          {"reported", reported(pair)}};
}

double figure(const json::object& of_case, const char* who, const char* quantile) {
  return of_case.at(who).at(quantile).to_number<double>();
}

}  // namespace

void run_agreement_bench(const Options& options, Report& report) {
  json::object out;
  for (const Case& one : kCases) {
    json::object figures = run_case(options, one);
    auto both = [&](const char* who) {
      return fmt::format("p50 {:.2f}, p99 {:.2f}", figure(figures, who, "p50"),
                         figure(figures, who, "p99"));
    };
    // It counts from a write's commit on, which lies between the two that a client knows.
    report.line(fmt::format("lag {}", one.name), 0,
                fmt::format("reported {} ms; an independent probe: since acknowledged {}, since "
                            "sent {}",
                            both("reported"), both("probed"), both("probed_since_sent")));
    out[one.name] = std::move(figures);
  }
  report.json["lag_agreement"] = std::move(out);
}

}  // namespace meridian::bench
