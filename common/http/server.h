// HttpServer: HTTP/1.1 with keep-alive on several addresses, one handler each, over Boost.Beast.
// Beast stays in server.cc (it costs half a minute to compile); this header is plain.
//
// Threads: `threads` of its own.  A handler runs on one of them and must not block for long; it may
// answer at once or later, from any thread, exactly once.
// Owns: sockets and threads.  stop() closes listeners, lets answers under way finish for
// kDrainMsMax, then joins.
// Errors: an address that cannot be bound throws std::runtime_error from start(), naming it.
// Limits: HttpLimits; over a limit the client gets 413, 431 or 503, a slow one is dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/http/message.h"
#include "common/log.h"

namespace meridian::http {

struct HttpLimits {
  std::size_t body_bytes_max = 16 * 1024 * 1024;  // DynamoDB's BatchWriteItem limit
  std::size_t header_bytes_max = 16 * 1024;  // of a request's head; of a chunk's, and the trailer
  // Of bodies that are coming in or going out, over all connections; past it, the larger ones are
  // refused with 503 (or replaced by it), and small ones go on.
  std::size_t bytes_in_flight_max = 1024 * 1024 * 1024;
  std::int64_t idle_ms_max = 60'000;     // between requests, and while reading or writing one
  std::size_t connections_max = 10'000;
};

struct Listener {
  std::string address;  // host:port; port 0 lets the system choose
  Handler handler;
};

class HttpServer {
 public:
  static constexpr std::int64_t kDrainMsMax = 5'000;

  HttpServer(std::vector<Listener> listeners, unsigned threads, HttpLimits limits, Logger log);
  ~HttpServer();

  void start();
  void stop();
  // Port that listener `index` is bound to.  REQUIRES: start() has returned.
  [[nodiscard]] std::uint16_t port(std::size_t index) const;
  [[nodiscard]] std::size_t connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meridian::http
