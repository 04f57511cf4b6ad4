#include "common/http/token_guard.h"

#include <algorithm>
#include <utility>

#include "common/ascii.h"
#include "common/token_file.h"

namespace meridian::http {
namespace {

// What follows `Bearer`, whose case does not matter (RFC 7235); empty when there is no such thing.
std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kBearer = "bearer ";
  if (authorization.size() < kBearer.size()) return {};
  if (!ascii::same_but_case(authorization.substr(0, kBearer.size()), kBearer)) return {};
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' ', kBearer.size()),
                                       authorization.size()));
  return authorization;
}

Response refuse(bool token_given) {
  Response refused;
  refused.status = 401;
  refused.headers = {{"WWW-Authenticate", token_given
                                              ? R"(Bearer realm="admin", error="invalid_token")"
                                              : R"(Bearer realm="admin")"}};
  refused.body = token_given
                     ? R"({"error":"this is not the token in this daemon's admin_token_file"})"
                     : R"({"error":"this address wants the token in this daemon's )"
                       R"(admin_token_file, as Authorization: Bearer TOKEN"})";
  return refused;
}

}  // namespace

TokenGuard::TokenGuard(std::string token, Open also_open)
    : also_open_(std::move(also_open)), token_(std::move(token)) {}

void TokenGuard::replace(const std::string& token) {
  std::lock_guard lock(mutex_);
  if (!token_.empty() && !token.empty()) token_ = token;
}

bool TokenGuard::is_open(const Request& request) const {
  // An operation of DynamoDB is told by its header, whatever its path is.
  if (request.method != "GET" || !request.header("X-Amz-Target").empty()) return false;
  std::string_view target = request.target;
  std::string_view path = target.substr(0, target.find('?'));
  if (path == "/livez" || path == "/readyz" || path == "/healthz") return true;
  return also_open_ && also_open_(request);
}

std::optional<Response> TokenGuard::intercept(const Request& request) const {
  std::string_view given = bearer_of(request.header("Authorization"));
  {
    std::lock_guard lock(mutex_);
    if (token_.empty() || same_secret(token_, given)) return std::nullopt;
  }
  if (is_open(request)) return std::nullopt;
  ++(given.empty() ? refused_without_ : refused_wrong_);
  return refuse(!given.empty());
}

Handler TokenGuard::around(Handler inner) const {
  return [this, inner = std::move(inner)](Request request, const Responder& respond) {
    if (auto refused = intercept(request)) {
      respond(std::move(*refused));
      return;
    }
    inner(std::move(request), respond);
  };
}

void TokenGuard::collect(MetricsPage& page) const {
  constexpr const char* kName = "meridian_admin_refused_total";
  constexpr const char* kHelp = "Requests at the admin address that did not carry its token.";
  page.counter(kName, kHelp, static_cast<double>(refused_without_), {{"token", "none"}});
  page.counter(kName, kHelp, static_cast<double>(refused_wrong_), {{"token", "wrong"}});
}

}  // namespace meridian::http
