// Load: a closed loop of HTTP requests.  Every connection sends its next request when the last one is
// answered, so the rate is what the server gives to that many patient clients; a stall delays the
// requests behind it instead of being counted against them (coordinated omission).
//
// Threads: one per connection, joined before run_load() returns.
// Units: in the names.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/histogram.h"
#include "common/rng.h"

namespace meridian::bench {

struct LoadOptions {
  std::string address;  // host:port
  unsigned connections = 16;
  std::int64_t run_ms = 10'000;
  std::uint64_t seed = 1;
};

struct LoadReport {
  Histogram latency;
  std::uint64_t answered = 0;  // with status 200
  std::uint64_t failed = 0;    // any other answer, or none
  std::string first_failure;
  double seconds = 0;

  [[nodiscard]] double per_second() const {
    return seconds > 0 ? static_cast<double>(answered) / seconds : 0;
  }
};

using Headers = std::vector<std::pair<std::string, std::string>>;
// Makes the body of one request; called on the connections' threads, each with its own Rng.
using BodyMaker = std::function<std::string(Rng&)>;

void run_load(const LoadOptions& options, const Headers& headers, const BodyMaker& body,
              LoadReport& report);

}  // namespace meridian::bench
