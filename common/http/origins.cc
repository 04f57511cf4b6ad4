#include "common/http/origins.h"

#include <boost/asio/ip/address.hpp>
#include <utility>

namespace meridian::http {
namespace {

constexpr const char* kScheme = "http://";

// The other name of a loopback address, under which its user may have opened the page; else empty.
std::string alias_of(const std::string& address) {
  const std::string name = "localhost:";
  const std::string number = "127.0.0.1:";
  if (address.starts_with(name)) return number + address.substr(name.size());
  if (address.starts_with(number)) return name + address.substr(number.size());
  return {};
}

// Without the port, and without the brackets of IPv6.
std::string_view name_of(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.rfind(':'));
}

Response refuse(const char* body) {
  Response refused;
  refused.status = 403;
  refused.body = body;
  return refused;
}

}  // namespace

Origins::Origins(const std::vector<std::string>& addresses) {
  for (const auto& address : addresses) {
    origins_.insert(kScheme + address);
    names_.emplace(name_of(address));
    if (auto alias = alias_of(address); !alias.empty()) origins_.insert(kScheme + alias);
  }
}

bool Origins::knows(std::string_view origin, const Request& request) const {
  return origin == kScheme + std::string(request.header("Host")) || origins_.contains(origin);
}

bool Origins::is_ours(std::string_view host) const {
  std::string_view name = name_of(host);
  if (name.find_first_of(".:") == std::string_view::npos || names_.contains(name)) return true;
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(name), error);
  return !error;
}

std::optional<Response> Origins::intercept(const Request& request) const {
  if (!is_ours(request.header("Host")))
    return refuse(R"({"error":"this endpoint does not go by the name in Host; console.nodes and )"
                  R"(console.replicators say which names it goes by"})");
  std::string_view origin = request.header("Origin");
  if (origin.empty()) return std::nullopt;
  if (!knows(origin, request))
    return refuse(R"({"error":"pages of this origin may not call this endpoint"})");
  if (request.method != "OPTIONS") return std::nullopt;
  Response allowed;
  allowed.status = 204;
  allowed.content_type.clear();
  allowed.headers = {{"Access-Control-Allow-Methods", "GET, POST"},
                     {"Access-Control-Allow-Headers",
                      "Content-Type, X-Amz-Target, Authorization, X-Meridian-If-Version"},
                     {"Access-Control-Max-Age", "600"}};
  admit(request, allowed);
  return allowed;
}

void Origins::admit(const Request& request, Response& response) const {
  std::string_view origin = request.header("Origin");
  if (origin.empty() || !knows(origin, request)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  response.headers.emplace_back("Vary", "Origin");
}

Handler Origins::around(Handler inner) const {
  return [self = *this, inner = std::move(inner)](Request request, const Responder& respond) {
    if (auto answer = self.intercept(request)) {
      respond(std::move(*answer));
      return;
    }
    if (request.header("Origin").empty()) {
      inner(std::move(request), respond);
      return;
    }
    Request copy;  // what admit() looks at, once the request is gone
    copy.headers = {{"Origin", std::string(request.header("Origin"))},
                    {"Host", std::string(request.header("Host"))}};
    inner(std::move(request), [self, copy = std::move(copy), respond](Response response) {
      self.admit(copy, response);
      respond(std::move(response));
    });
  };
}

}  // namespace meridian::http
