#include "tools/bench/load.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "common/clock.h"
#include "common/http/client.h"

namespace meridian::bench {
namespace {

// What the connections share while they run.
struct Shared {
  LoadReport& report;
  std::int64_t end_us;
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> failed{0};
  std::mutex mutex;  // guards report.first_failure
};

void note_failure(Shared& shared, const std::string& what) {
  shared.failed.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard lock(shared.mutex);
  if (shared.report.first_failure.empty()) shared.report.first_failure = what.substr(0, 300);
}

void run_connection(const LoadOptions& options, const Headers& headers, const BodyMaker& body,
                    std::uint64_t seed, Shared& shared) {
  SystemClock clock;
  Rng rng(seed);
  http::HttpClient client(options.address);
  for (;;) {
    std::string request = body(rng);
    std::int64_t start_us = clock.monotonic_us();
    if (start_us >= shared.end_us) return;
    try {
      http::ClientResponse response = client.post("/", request, headers);
      if (response.status != 200) {
        note_failure(shared, "HTTP " + std::to_string(response.status) + " " + response.body);
        continue;
      }
      shared.report.latency.record(clock.monotonic_us() - start_us);
      shared.answered.fetch_add(1, std::memory_order_relaxed);
    } catch (const http::HttpError& e) {
      note_failure(shared, e.what());
    }
  }
}

}  // namespace

void run_load(const LoadOptions& options, const Headers& headers, const BodyMaker& body,
              LoadReport& report) {
  SystemClock clock;
  std::int64_t start_us = clock.monotonic_us();
  Shared shared{.report = report,
                .end_us = start_us + options.run_ms * 1000,
                .answered = {},
                .failed = {},
                .mutex = {}};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.connections; ++i)
    threads.emplace_back([&options, &headers, &body, &shared, seed = options.seed * 1000 + i] {
      run_connection(options, headers, body, seed, shared);
    });
  for (auto& thread : threads) thread.join();
  report.seconds = static_cast<double>(clock.monotonic_us() - start_us) / 1e6;
  report.answered = shared.answered;
  report.failed = shared.failed;
}

}  // namespace meridian::bench
