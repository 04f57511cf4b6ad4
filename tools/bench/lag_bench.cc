#include "tools/bench/lag_bench.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>

#include "common/clock.h"
#include "common/http/client.h"
#include "tools/bench/ports.h"
#include "tools/bench/requests.h"
#include "tools/bench/rows.h"

namespace meridian::bench {
namespace {

// A hundredth of the load, so that probing costs next to nothing; but at 20 a second the p99 of a run of
// 30 s hangs on its six slowest probes, so no fewer than those and, where there is load, more.
constexpr double kProbesPerSecondMin = 20;
constexpr double kProbesPerSecondMax = 100;
constexpr std::int64_t kProbePollUs = 200;
constexpr std::int64_t kLostMsMax = 60'000;
// Far from the numbers that a feeder uses.
constexpr std::uint64_t kFirstProbe = 900'000'000'000;

struct Probe {
  std::uint64_t number = 0;
  std::int64_t sent_us = 0;
  std::shared_ptr<std::atomic<std::int64_t>> acknowledged_us;  // 0 until then
};

class Prober {
 public:
  Prober(const Options& options, Pair& pair, const TableId& table, double load_per_second,
         Lag& lag)
      : interval_us_(static_cast<std::int64_t>(
            1e6 / std::clamp(load_per_second / 100, kProbesPerSecondMin, kProbesPerSecondMax))),
        store_(pair.source().store()),
        table_(table),
        rows_(options, kFirstProbe),
        get_(RequestTemplate::get(options)),
        client_(loopback(pair.sink_ports().table)),
        lag_(lag),
        thread_([this] { run_and_keep_failure(); }) {}
  ~Prober() { stop(); }

  // Sees the last probes through, then throws what the thread died of.
  void finish() {
    stop();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }

  void run_and_keep_failure() {
    try {
      run();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void run() {
    std::int64_t due_us = clock_.monotonic_us();
    while (!stopping_ || !probes_.empty()) {
      if (!stopping_ && clock_.monotonic_us() >= due_us) {
        write();
        due_us += interval_us_;
      }
      // Oldest first; each answer counts from its own commit.
      std::erase_if(probes_, [this](const Probe& probe) { return seen(probe); });
      std::int64_t left_us = due_us - clock_.monotonic_us();
      pause_us(probes_.empty() && !stopping_ ? left_us : kProbePollUs);
    }
  }

  void write() {
    Probe probe{next_++, clock_.monotonic_us(), std::make_shared<std::atomic<std::int64_t>>(0)};
    store_.write({table_, Bytes(rows_.key(probe.number)),
                  std::make_shared<PutImage>(rows_.image(probe.number)),
                  [at = probe.acknowledged_us, this](const store::WriteResult& result) {
                    *at = result.status == store::WriteStatus::committed ? clock_.monotonic_us()
                                                                         : -1;
                  }});
    probes_.push_back(std::move(probe));
  }

  bool seen(const Probe& probe) {
    std::int64_t begun_us = *probe.acknowledged_us;
    if (begun_us == 0) return false;
    if (begun_us < 0) throw std::runtime_error("a probe's write was refused");
    auto answer = client_.post("/", body_of(probe.number), headers_);
    if (answer.status != 200) throw std::runtime_error("a probe's read failed: " + answer.body);
    std::int64_t now_us = clock_.monotonic_us();
    std::int64_t waited_us = now_us - begun_us;
    if (answer.body.find("\"Item\"") == std::string::npos) {
      if (waited_us > kLostMsMax * 1000) throw std::runtime_error("a probe was not seen for 60 s");
      return false;
    }
    lag_.histogram.record(waited_us);
    lag_.since_sent.record(now_us - probe.sent_us);
    return true;
  }

  std::string body_of(std::uint64_t number) {
    std::string_view request = get_.make(number);
    return std::string(request.substr(request.find("\r\n\r\n") + 4));
  }

  SystemClock clock_;
  const std::int64_t interval_us_;
  store::Store& store_;
  const TableId table_;
  Rows rows_;
  RequestTemplate get_;
  http::HttpClient client_;
  const std::vector<std::pair<std::string, std::string>> headers_{
      {"Content-Type", "application/x-amz-json-1.0"},
      {"X-Amz-Target", "DynamoDB_20120810.GetItem"}};
  Lag& lag_;
  std::deque<Probe> probes_;  // written and not yet seen
  std::uint64_t next_ = kFirstProbe;
  std::atomic<bool> stopping_{false};
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace

void run_lag(const Options& options, Pair& pair, Feeder& feeder, const TableId& table,
             double per_second, Lag& lag) {
  auto before = pair.sink();
  Prober prober(options, pair, table, per_second, lag);
  auto fed = feeder.feed({.variety = Variety::new_keys,
                          .group = 1,
                          .per_second = per_second,
                          .run_ms = options.lag_ms,
                          .rows_max = 0});
  prober.finish();
  pair.wait_for(before.records + fed.rows + lag.histogram.count());
  lag.load_per_second = per_second;
  lag.fed_per_second = static_cast<double>(fed.rows) / fed.seconds;
}

boost::json::object as_json(const Lag& lag) {
  auto out = latency_ms(lag.histogram);
  out["load_rps"] = rounded(lag.load_per_second, 0);
  out["fed_rps"] = rounded(lag.fed_per_second, 0);
  return out;
}

}  // namespace meridian::bench
