#include "tools/bench/copy_bench.h"

#include <fmt/format.h>

#include <stdexcept>

#include "common/clock.h"
#include "tools/bench/http_load.h"
#include "tools/bench/regions.h"
#include "tools/bench/requests.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

constexpr unsigned kConnections = 4;  // clients that are patient, and no flood
constexpr std::int64_t kRoundMs = 200;
constexpr std::int64_t kCopyMsMax = 600'000;

// One kind of request at the home region.
struct Clients {
  std::uint16_t port;
  RequestTemplate requests;
  std::uint64_t keys;
  Rng rng;

  HttpLoadReport run(std::int64_t run_ms, std::uint64_t requests_max, Histogram* latency) {
    HttpLoadPlan plan{.port = port,
                      .connections = kConnections,
                      .run_ms = run_ms,
                      .requests_max = requests_max,
                      .latency = latency,
                      .next = [this] { return requests.make(rng.below(keys)); }};
    auto report = run_http_load(plan);
    if (report.failed > 0) throw std::runtime_error("refused: " + report.first_failure);
    return report;
  }
};

// What clients had during one phase.
struct Phase {
  Histogram put;
  Histogram get;
  std::uint64_t puts = 0;
  std::uint64_t gets = 0;
  double put_seconds = 0;
  double get_seconds = 0;

  void take_turn(Clients& putting, Clients& getting) {
    auto written = putting.run(kRoundMs, 0, &put);
    auto read = getting.run(kRoundMs, 0, &get);
    puts += written.answered;
    gets += read.answered;
    put_seconds += written.seconds;
    get_seconds += read.seconds;
  }
  [[nodiscard]] json::object as_json() const {
    return {{"put_rps", rounded(static_cast<double>(puts) / put_seconds, 0)},
            {"put_latency_ms", latency_ms(put)},
            {"get_rps", rounded(static_cast<double>(gets) / get_seconds, 0)},
            {"get_latency_ms", latency_ms(get)}};
  }
  void print(Report& report, const std::string& name, const std::string& remark) const {
    auto ms = [](const Histogram& histogram, double quantile) {
      return static_cast<double>(histogram.quantile_us(quantile)) / 1000;
    };
    report.line("copy: put " + name, static_cast<double>(puts) / put_seconds,
                fmt::format("p50 {:.2f} ms, p99 {:.2f} ms{}", ms(put, 0.5), ms(put, 0.99), remark));
    report.line("copy: get " + name, static_cast<double>(gets) / get_seconds,
                fmt::format("p50 {:.2f} ms, p99 {:.2f} ms", ms(get, 0.5), ms(get, 0.99)));
  }
};

class CopyBench {
 public:
  CopyBench(const Options& options, const WorkDir& dir)
      : home_ports_(draw_ports("us-east-1")),
        paced_ports_(draw_ports("eu-west-1")),
        free_ports_(draw_ports("ap-northeast-1")),
        home_(options, dir, home_ports_, {paced_ports_, free_ports_}),
        paced_(options, dir, paced_ports_, {home_ports_, free_ports_}),
        free_(options, dir, free_ports_, {home_ports_, paced_ports_},
              "copy_bytes_per_s_max: 1099511627776\n"),
        keys_(options.update_keys),
        putting_{home_ports_.table, RequestTemplate::put(options), keys_, Rng(options.seed)},
        getting_{home_ports_.table, RequestTemplate::get(options), keys_, Rng(options.seed)} {}

  void run(Report& report, std::int64_t alone_ms) {
    for (auto* region : {&home_, &paced_, &free_}) region->start();
    create_and_fill();
    Phase alone;
    SystemClock clock;
    std::int64_t until_ms = clock.monotonic_ms() + alone_ms;
    while (clock.monotonic_ms() < until_ms) alone.take_turn(putting_, getting_);
    alone.print(report, "alone", "");
    json::object out{{"rows", keys_}, {"alone", alone.as_json()}};
    out["paced"] = copy_into(paced_, "beside a paced copy", report);
    out["free"] = copy_into(free_, "beside a free copy", report);
    report.json["copy"] = std::move(out);
  }

 private:
  void create_and_fill() {
    table_call(home_ports_.table, "CreateTable",
         fmt::format(
             R"({{"TableName":"{}","BillingMode":"PAY_PER_REQUEST",)"
             R"("AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}},)"
             R"({{"AttributeName":"sk","AttributeType":"S"}}],)"
             R"("KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}},)"
             R"({{"AttributeName":"sk","KeyType":"RANGE"}}]}})",
             kTable));
    std::uint64_t next = 0;
    HttpLoadPlan plan{.port = home_ports_.table,
                      .connections = 32,
                      .run_ms = 0,
                      .requests_max = keys_,
                      .latency = nullptr,
                      .next = [this, &next] { return putting_.requests.make(next++); }};
    auto filled = run_http_load(plan);
    if (filled.failed > 0) throw std::runtime_error("cannot fill: " + filled.first_failure);
  }

  std::string status_at(Region& region) {
    region.node.process().check_alive();
    auto table = table_call(region.ports.table, "DescribeTable",
                      fmt::format(R"({{"TableName":"{}"}})", kTable));
    return std::string(table.at("Table").at("TableStatus").as_string());
  }

  json::object copy_into(Region& region, const std::string& name, Report& report) {
    progress("copy: " + name);
    table_call(home_ports_.table, "UpdateTable",
         fmt::format(R"({{"TableName":"{}","ReplicaUpdates":)"
                     R"([{{"Create":{{"RegionName":"{}"}}}}]}})",
                     kTable, region.ports.region));
    SystemClock clock;
    std::int64_t begun_ms = clock.monotonic_ms();
    Phase phase;
    while (status_at(region) == "CREATING" || phase.puts == 0) {
      phase.take_turn(putting_, getting_);
      if (clock.monotonic_ms() - begun_ms > kCopyMsMax)
        throw std::runtime_error("the copy does not end");
    }
    double seconds = static_cast<double>(clock.monotonic_ms() - begun_ms) / 1000;
    double rows_per_s = static_cast<double>(keys_) / seconds;
    phase.print(report, name, fmt::format("; {:.1f} s, {:.0f} rows/s", seconds, rows_per_s));
    auto out = phase.as_json();
    out["seconds"] = rounded(seconds, 1);
    out["rows_per_s"] = rounded(rows_per_s, 0);
    return out;
  }

  const RegionPorts home_ports_;
  const RegionPorts paced_ports_;
  const RegionPorts free_ports_;
  Region home_;
  Region paced_;
  Region free_;
  const std::uint64_t keys_;
  Clients putting_;
  Clients getting_;
};

}  // namespace

void run_copy_bench(const Options& options, const WorkDir& dir, Report& report) {
  progress("copy: filling");
  CopyBench(options, dir).run(report, options.http_round_ms);
}

}  // namespace meridian::bench
