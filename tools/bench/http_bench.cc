#include "tools/bench/http_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "common/clock.h"
#include "common/http/client.h"
#include "tools/bench/http_load.h"
#include "tools/bench/ports.h"
#include "tools/bench/requests.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

// One of the things that take turns.
struct Contest {
  std::string name;
  std::uint16_t port = 0;
  Process* server = nullptr;
  std::uint16_t admin = 0;  // where the server tells its commits; 0: it has none
  std::function<std::string_view()> next;

  std::vector<double> rates;
  Histogram latency;
  std::uint64_t answered = 0;
  std::uint64_t commits = 0;
  std::int64_t server_cpu_us = 0;
  std::int64_t generator_cpu_us = 0;
};

void create_table(std::uint16_t port) {
  std::string body = fmt::format(
      R"({{"TableName":"{}","BillingMode":"PAY_PER_REQUEST",)"
      R"("AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}},)"
      R"({{"AttributeName":"sk","AttributeType":"S"}}],)"
      R"("KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}},)"
      R"({{"AttributeName":"sk","KeyType":"RANGE"}}],)"
      R"("StreamSpecification":{{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}}})",
      kTable);
  std::string request = http_request("CreateTable", body);
  HttpLoadPlan plan{.port = port,
                    .connections = 1,
                    .run_ms = 0,
                    .requests_max = 1,
                    .latency = nullptr,
                    .next = [&request] { return std::string_view(request); }};
  auto report = run_http_load(plan);
  if (report.failed > 0)
    throw std::runtime_error("cannot create the table: " + report.first_failure);
}

std::uint64_t commits_of(const Contest& contest) {
  return contest.admin == 0 ? 0 : node_counters(contest.admin).commits;
}

void take_turn(const Options& options, Contest& contest) {
  HttpLoadPlan plan{.port = contest.port,
                    .connections = options.connections,
                    .run_ms = options.http_round_ms,
                    .requests_max = 0,
                    .latency = &contest.latency,
                    .next = contest.next};
  Usage server = contest.server->usage();
  Usage own = own_usage();
  std::uint64_t commits = commits_of(contest);
  auto report = run_http_load(plan);
  contest.server->check_alive();
  if (report.failed > 0)
    throw std::runtime_error(contest.name + ": " + std::to_string(report.failed) +
                             " requests failed, the first: " + report.first_failure);
  contest.commits += commits_of(contest) - commits;
  contest.server_cpu_us += contest.server->usage().cpu_us - server.cpu_us;
  contest.generator_cpu_us += own_usage().cpu_us - own.cpu_us;
  contest.rates.push_back(report.per_second());
  contest.answered += report.answered;
}

// 0 for what does not write.
double writes_per_commit(const Contest& contest) {
  if (contest.name == "get" || contest.commits == 0) return 0;
  return static_cast<double>(contest.answered) / static_cast<double>(contest.commits);
}

json::object as_json(const Contest& contest) {
  auto [least, most] = std::minmax_element(contest.rates.begin(), contest.rates.end());
  Cost server{"server", contest.server_cpu_us, contest.server->usage().rss_peak_bytes};
  Cost generator{"generator", contest.generator_cpu_us, own_usage().rss_peak_bytes};
  return {{"rps", rounded(median(contest.rates), 0)},
          {"rps_min", rounded(*least, 0)},
          {"rps_max", rounded(*most, 0)},
          {"latency_ms", latency_ms(contest.latency)},
          {"writes_per_commit", rounded(writes_per_commit(contest), 1)},
          {"cost", costs({server, generator}, contest.answered)}};
}

std::string remark(const Contest& contest, double bare) {
  double each = static_cast<double>(contest.server_cpu_us) / static_cast<double>(contest.answered);
  std::string out = fmt::format("server {:.1f} us CPU, p50 {:.2f} ms, p99 {:.2f} ms", each,
                                static_cast<double>(contest.latency.quantile_us(0.5)) / 1000,
                                static_cast<double>(contest.latency.quantile_us(0.99)) / 1000);
  if (writes_per_commit(contest) > 0)
    out += fmt::format(", {:.1f} writes per commit", writes_per_commit(contest));
  if (bare > 0) out += fmt::format(", {:.2f} of bare", median(contest.rates) / bare);
  return out;
}

// The requests of each contest.  Keys of reads and updates are those that were filled in.
class Traffic {
 public:
  explicit Traffic(const Options& options)
      : keys_(options.update_keys),
        put_(RequestTemplate::put(options)),
        get_(RequestTemplate::get(options)),
        rng_(options.seed) {}
  std::string_view put_new() { return put_.make(next_++); }
  std::string_view put_old() { return put_.make(rng_.below(keys_)); }
  std::string_view get() { return get_.make(rng_.below(keys_)); }
  [[nodiscard]] std::uint64_t keys() const { return keys_; }

 private:
  const std::uint64_t keys_;
  RequestTemplate put_;
  RequestTemplate get_;
  Rng rng_;
  std::uint64_t next_ = 0;
};

void fill(const Options& options, std::uint16_t port, Traffic& traffic) {
  HttpLoadPlan plan{.port = port,
                    .connections = options.connections,
                    .run_ms = 0,
                    .requests_max = traffic.keys(),
                    .latency = nullptr,
                    .next = [&traffic] { return traffic.put_new(); }};
  auto report = run_http_load(plan);
  if (report.failed > 0) throw std::runtime_error("cannot fill: " + report.first_failure);
}

void publish(const std::map<std::string, std::unique_ptr<Contest>>& contests, Report& report) {
  auto rate = [&](const std::string& name) { return median(contests.at(name)->rates); };
  json::object out{{"bare_rps", rounded(rate("bare put"), 0)},
                   {"bare_get_rps", rounded(rate("bare get"), 0)},
                   {"put_rps", rounded(rate("put new"), 0)},
                   {"put_update_rps", rounded(rate("put update"), 0)},
                   {"get_rps", rounded(rate("get"), 0)},
                   {"put_ratio", ratio(rate("put new"), rate("bare put"))},
                   {"put_update_ratio", ratio(rate("put update"), rate("bare put"))},
                   {"get_ratio", ratio(rate("get"), rate("bare put"))},
                   {"get_ratio_same_requests", ratio(rate("get"), rate("bare get"))}};
  json::object variants;
  for (const auto& [name, contest] : contests) {
    bool bare = name.starts_with("bare");
    variants[name] = as_json(*contest);
    report.line("http " + name, median(contest->rates),
                remark(*contest, bare ? 0 : rate(name == "get" ? "bare get" : "bare put")));
  }
  out["variants"] = std::move(variants);
  report.json["http"] = std::move(out);
}

}  // namespace

void run_http_bench(const Options& options, const WorkDir& dir, Report& report) {
  progress("http: filling");
  RegionPorts ports = draw_ports("us-east-1");
  Daemon node = make_node(options, dir, ports, {});
  node.start();
  std::uint16_t bare_port = free_ports(1).front();
  Process bare({program_folder() + "/bench", "--serve-bare", std::to_string(bare_port),
                "--http-threads", std::to_string(options.http_threads)},
               dir.path() + "/bare.log");
  bare.start();
  bare.wait_ready(loopback(bare_port));
  create_table(ports.table);
  Traffic traffic(options);
  fill(options, ports.table, traffic);

  std::map<std::string, std::unique_ptr<Contest>> contests;
  auto enter = [&](const std::string& name, std::uint16_t port, Process& server,
                   std::function<std::string_view()> next) {
    auto& contest = contests[name] = std::make_unique<Contest>();
    contest->name = name;
    contest->port = port;
    contest->server = &server;
    contest->next = std::move(next);
    if (&server == &node.process()) contest->admin = ports.admin;
  };
  enter("bare put", bare_port, bare, [&traffic] { return traffic.put_old(); });
  enter("bare get", bare_port, bare, [&traffic] { return traffic.get(); });
  enter("put new", ports.table, node.process(), [&traffic] { return traffic.put_new(); });
  enter("put update", ports.table, node.process(), [&traffic] { return traffic.put_old(); });
  enter("get", ports.table, node.process(), [&traffic] { return traffic.get(); });
  for (int round = 0; round < options.http_rounds; ++round) {
    progress(fmt::format("http: round {} of {}", round + 1, options.http_rounds));
    for (const char* name : {"bare put", "put new", "bare get", "get", "put update"})
      take_turn(options, *contests.at(name));
  }
  publish(contests, report);
  node.stop();
  bare.stop();
}

}  // namespace meridian::bench
