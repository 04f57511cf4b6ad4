// HttpLoad: HTTP requests over many connections, on one thread with epoll.
//
// Closed loop: every connection sends its next request when the last one is answered, so the rate is
// what the server gives to that many patient clients; a stall delays the requests behind it instead of
// being counted against them (coordinated omission).
// Open loop: requests are due at a steady rate, whatever the server does.  What is due waits for a free
// connection, and its latency counts from when it was due, so a stall counts for all that it delays.
//
// Threads: the caller's, for as long as the run takes.
// Owns: its connections.
// Errors: std::runtime_error when a connection fails or an answer cannot be read; answers other than
// 200 are counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/histogram.h"

namespace meridian::bench {

struct HttpLoadReport {
  std::uint64_t answered = 0;  // with status 200
  std::uint64_t failed = 0;
  std::string first_failure;
  double seconds = 0;

  [[nodiscard]] double per_second() const {
    return seconds > 0 ? static_cast<double>(answered) / seconds : 0;
  }
};

struct HttpLoadPlan {
  std::uint16_t port = 0;  // of loopback
  unsigned connections = 1;
  double per_second = 0;           // unless 0: an open loop at this rate
  std::int64_t run_ms = 0;         // the loop ends after this
  std::uint64_t requests_max = 0;  // or, unless 0, after so many requests
  const std::atomic<bool>* ending = nullptr;  // or, unless null, when this becomes true
  Histogram* latency = nullptr;  // of the answers with status 200, unless null
  // The bytes of the next request; used up before it is called again.
  std::function<std::string_view()> next;
};

HttpLoadReport run_http_load(const HttpLoadPlan& plan);

}  // namespace meridian::bench
