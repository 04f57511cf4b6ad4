// Origins: which web pages may call an HTTP endpoint from a browser (CORS), and that no other may.
//
// A browser sends whatever a page on the Internet asks of it, also to addresses that only this machine
// can reach.  So a request that names its origin is served only when that origin is one of ours, or the
// very server that it is sent to; programs that are not browsers name none and are let through.
//
// Threads: immutable, any.  Source: the Fetch standard, "CORS protocol".
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/http/server.h"

namespace meridian::http {

class Origins {
 public:
  // Pages served from these addresses (host:port) may call.
  explicit Origins(const std::vector<std::string>& addresses);

  // The answer to a request that goes no further: a preflight, or one from a stranger's page or by a
  // stranger's name.
  [[nodiscard]] std::optional<Response> intercept(const Request& request) const;
  // Adds what lets the page read `response`.
  void admit(const Request& request, Response& response) const;
  // A handler that does both around `inner`.
  [[nodiscard]] Handler around(Handler inner) const;

 private:
  [[nodiscard]] bool knows(std::string_view origin, const Request& request) const;

  [[nodiscard]] bool is_ours(std::string_view host) const;

  std::set<std::string, std::less<>> origins_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace meridian::http
