// Request and Response of the HTTP server, as plain values, and what answers one.  Apart from the server, so
// that what only answers (the API, its tests and fuzzer) builds without Beast.
//
// Threads: value types.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::http {

struct Request {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Value of the first header of that name (any case), or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

using Responder = std::function<void(Response)>;
using Handler = std::function<void(Request, Responder)>;

}  // namespace meridian::http
