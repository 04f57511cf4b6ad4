#include "tools/bench/join_bench.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <thread>

#include "common/clock.h"
#include "tools/bench/http_load.h"
#include "tools/bench/regions.h"
#include "tools/bench/requests.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

constexpr unsigned kConnections = 64;
constexpr std::int64_t kDeadMs = 3000;     // how long a killed region stays away
constexpr std::int64_t kJoinPollUs = 100'000;
constexpr std::int64_t kReachMsMax = 30'000;
constexpr std::int64_t kJoinMsMax = 3'600'000;
constexpr unsigned kSeedDiesAt = 30;    // percent
constexpr unsigned kJoinerDiesAt = 60;

// Clients that put rows over existing items, at a steady rate, on a thread of their own.
class Clients {
 public:
  Clients(const Options& options, std::uint16_t port)
      : requests_(RequestTemplate::put(options)),
        keys_(options.join_items),
        rng_(options.seed),
        plan_{.port = port,
              .connections = kConnections,
              .per_second = options.join_writes,
              .ending = &ending_,
              .latency = &latency,
              .next = [this] { return requests_.make(rng_.below(keys_)); }},
        thread_([this] { run(); }) {}
  ~Clients() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // Throws what went wrong.
  HttpLoadReport finish() {
    ending_ = true;
    thread_.join();
    check();
    return report_;
  }
  void check() {
    if (!over_) return;
    if (failure_) std::rethrow_exception(failure_);
    if (report_.failed > 0)
      throw std::runtime_error("a client was refused: " + report_.first_failure);
  }

  Histogram latency;

 private:
  void run() {
    try {
      report_ = run_http_load(plan_);
    } catch (...) {
      failure_ = std::current_exception();
    }
    over_ = true;
  }

  RequestTemplate requests_;
  const std::uint64_t keys_;
  Rng rng_;
  std::atomic<bool> ending_{false};
  std::atomic<bool> over_{false};
  const HttpLoadPlan plan_;
  HttpLoadReport report_;
  std::exception_ptr failure_;
  std::thread thread_;  // last
};

double ms(const Histogram& histogram, double quantile) {
  return static_cast<double>(histogram.quantile_us(quantile)) / 1000;
}

// The joining replica as its neighbours see it.
struct Look {
  bool active = false;
  unsigned percent = 0;
  std::string text;
};

class JoinBench {
 public:
  JoinBench(const Options& options, const WorkDir& dir, Report& report)
      : options_(options),
        dir_(dir),
        report_(report),
        ports_{draw_ports("us-east-1"), draw_ports("eu-west-1"), draw_ports("ap-northeast-1"),
               draw_ports("sa-east-1")},
        home_(options, dir, ports_[0], without(0)),
        second_(options, dir, ports_[1], without(1)),
        third_(options, dir, ports_[2], without(2)),
        joiner_(options, dir, ports_[3], without(3)) {}

  void run() {
    progress(fmt::format("join: filling {} items in three regions", options_.join_items));
    create_filled(options_, dir_, {&home_, &second_, &third_}, options_.join_items);
    joiner_.start();
    json_ = {{"items", options_.join_items}, {"writes_per_s", options_.join_writes}};

    progress("join: the clients alone");
    Clients before(options_, home_.ports.table);
    pause_us(options_.join_before_ms * 1000);
    describe("before", before, "");

    progress("join: the copy");
    Clients during(options_, home_.ports.table);
    double seconds = join(during);
    double ratio = ms(during.latency, 0.99) / ms(before.latency, 0.99);
    describe("during", during,
             fmt::format("; p99 {:.2f} of before; ACTIVE after {:.0f} s, {:.0f} rows/s", ratio,
                         seconds, static_cast<double>(options_.join_items) / seconds));
    json_["seconds"] = rounded(seconds, 1);
    json_["p99_ratio"] = rounded(ratio, 2);
    compare();
    report_.json["join"] = std::move(json_);
  }

 private:
  [[nodiscard]] std::vector<RegionPorts> without(std::size_t self) const {
    std::vector<RegionPorts> out;
    for (std::size_t i = 0; i < ports_.size(); ++i)
      if (i != self) out.push_back(ports_[i]);
    return out;
  }

  void describe(const char* when, Clients& clients, const std::string& remark) {
    auto load = clients.finish();
    report_.line(fmt::format("join: put {}", when), load.per_second(),
                 fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, max {:.0f} ms{}",
                             ms(clients.latency, 0.5), ms(clients.latency, 0.99),
                             ms(clients.latency, 1), remark));
    json_[when] = json::object{{"put_rps", rounded(load.per_second(), 0)},
                               {"put_latency_ms", latency_ms(clients.latency)}};
  }

  Look look() {
    auto said = table_call(home_.ports.table, "DescribeTable",
                           fmt::format(R"({{"TableName":"{}"}})", kTable));
    Look out;
    for (const auto& each : said.at("Table").at("Replicas").as_array()) {
      const auto& replica = each.as_object();
      if (replica.at("RegionName").as_string() != joiner_.ports.region) continue;
      out.active = replica.at("ReplicaStatus").as_string() == "ACTIVE";
      if (const auto* percent = replica.if_contains("ReplicaStatusPercentProgress"))
        out.percent = static_cast<unsigned>(std::stoul(std::string(percent->as_string())));
      if (const auto* text = replica.if_contains("ReplicaStatusDescription"))
        out.text = std::string(text->as_string());
    }
    return out;
  }

  // Which region the rows come from, as the joiner says.
  Region& seed(const Look& now) {
    for (auto* region : {&second_, &third_})
      if (now.text.find("from " + region->ports.region) != std::string::npos) return *region;
    throw std::runtime_error("not known where the rows come from: " + now.text);
  }

  // From UpdateTable until the replica is ACTIVE; answers how many seconds that took.
  double join(Clients& clients) {
    ask_to_join();
    json::array shown;
    std::vector<std::string> dead;
    unsigned percent = 0;
    for (Look now = look(); !now.active; now = look()) {
      clients.check();
      for (auto* region : {&home_, &second_, &third_, &joiner_}) region->check_alive();
      if (clock_.monotonic_ms() - begun_ms_ > kJoinMsMax)
        throw std::runtime_error("the copy does not end: " + now.text);
      if (now.percent != percent) {
        percent = now.percent;
        shown.push_back(json::array{seconds_so_far(), percent});
        if (percent % 10 == 0) progress(fmt::format("join: {} %: {}", percent, now.text));
      }
      if (dead.empty() && percent >= kSeedDiesAt) {
        dead.push_back("the seed");
        die_and_return(seed(now), dead.back());
      } else if (dead.size() == 1 && percent >= kJoinerDiesAt) {
        dead.push_back("the joiner");
        die_and_return(joiner_, dead.back());
      }
      pause_us(kJoinPollUs);
    }
    if (dead.size() != 2) throw std::runtime_error("it was over before both had been killed");
    json_["progress"] = std::move(shown);
    return seconds_so_far();
  }

  // Home may not have found the joiner yet; SDKs repeat a call that fails for that.
  void ask_to_join() {
    std::int64_t until_ms = clock_.monotonic_ms() + kReachMsMax;
    for (;;) {
      begun_ms_ = clock_.monotonic_ms();
      try {
        table_call(home_.ports.table, "UpdateTable",
                   fmt::format(R"({{"TableName":"{}","ReplicaUpdates":)"
                               R"([{{"Create":{{"RegionName":"{}"}}}}]}})",
                               kTable, joiner_.ports.region));
        return;
      } catch (const std::runtime_error&) {
        if (begun_ms_ > until_ms) throw;
        pause_us(kJoinPollUs);
      }
    }
  }

  [[nodiscard]] double seconds_so_far() const {
    return static_cast<double>(clock_.monotonic_ms() - begun_ms_) / 1000;
  }

  void die_and_return(Region& region, const std::string& who) {
    progress(fmt::format("join: kill -9 of {}, {}, after {:.0f} s", who, region.ports.region,
                         seconds_so_far()));
    region.kill();
    pause_us(kDeadMs * 1000);
    region.start();
  }

  void compare() {
    progress("join: comparing the four regions");
    auto verified = run_verify(dir_, {&home_, &second_, &third_, &joiner_}, {"--settle", "120s"});
    if (!verified.identical)
      throw std::runtime_error("the regions differ: " + json::serialize(verified.report));
    if (verified.items != options_.join_items)
      throw std::runtime_error(fmt::format("{} items are there", verified.items));
    report_.line("join: verify", 0,
                 fmt::format("identical, {} items in four regions, {:.1f} s", verified.items,
                             verified.seconds));
    json_["verify"] = json::object{{"identical", true},
                                   {"items", verified.items},
                                   {"settled", verified.report.at("settled")},
                                   {"seconds", rounded(verified.seconds, 1)}};
  }

  const Options& options_;
  const WorkDir& dir_;
  Report& report_;
  const SystemClock clock_;
  const std::vector<RegionPorts> ports_;
  Region home_;
  Region second_;
  Region third_;
  Region joiner_;
  std::int64_t begun_ms_ = 0;
  json::object json_;
};

}  // namespace

void run_join_bench(const Options& options, const WorkDir& dir, Report& report) {
  JoinBench(options, dir, report).run();
}

}  // namespace meridian::bench
