// TokenGuard: lets only requests through that carry the admin token, as `Authorization: Bearer TOKEN`.
//
// Open to everybody are GET /livez, /readyz and /healthz, which health checks ask and which tell no more
// than whether the daemon is well, and what the owner names besides.  Everything else is 401 without the
// token: a path that is added later is guarded unless somebody decides otherwise.
// Without a token in the settings everything is let through; who may listen so: common/settings.h.
//
// Threads: any; replace() exchanges the token under a lock, and refusals are counted atomically.
// Errors: 401 with {"error": "..."} and WWW-Authenticate (RFC 6750).  ADR 0026 has the reasons.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "common/http/server.h"
#include "common/metrics.h"

namespace meridian::http {

class TokenGuard {
 public:
  using Open = std::function<bool(const Request&)>;
  // `token`: empty for none.  `also_open`: GET requests that are served without it; may be empty.
  explicit TokenGuard(std::string token, Open also_open = {});

  // Another token from now on.  Whether there is one at all is decided at the start, so nothing happens
  // when there was none, or when `token` is empty.
  void replace(const std::string& token);
  // The refusal of a request that goes no further.
  [[nodiscard]] std::optional<Response> intercept(const Request& request) const;
  // A handler that asks for the token before `inner`.  Borrows this guard.
  [[nodiscard]] Handler around(Handler inner) const;
  // How many it has refused.
  void collect(MetricsPage& page) const;

 private:
  [[nodiscard]] bool is_open(const Request& request) const;

  const Open also_open_;
  mutable std::mutex mutex_;
  std::string token_;  // guarded by mutex_
  mutable std::atomic<std::uint64_t> refused_without_{0};
  mutable std::atomic<std::uint64_t> refused_wrong_{0};
};

}  // namespace meridian::http
