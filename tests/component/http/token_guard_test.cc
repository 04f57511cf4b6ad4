// TokenGuard: nothing but what is named open is served without the token.
#include "common/http/token_guard.h"

#include <gtest/gtest.h>

#include "common/http/origins.h"
#include "tests/component/http/answer.h"

namespace meridian::http {
namespace {

constexpr const char* kToken = "0123456789abcdef";

struct Ask {
  std::string method = "GET";
  std::string target = "/v1/status";
  std::string authorization{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

Request request_of(const Ask& ask) {
  Request request;
  request.method = ask.method;
  request.target = ask.target;
  request.headers = ask.headers;
  request.headers.emplace_back("Host", "127.0.0.1:8080");
  if (!ask.authorization.empty()) request.headers.emplace_back("Authorization", ask.authorization);
  return request;
}

int status_of(const TokenGuard& guard, const Ask& ask) {
  int status = 0;
  auto handler = guard.around([](Request, const Responder& respond) { respond(Response{}); });
  handler(request_of(ask), [&status](Response response) { status = response.status; });
  return status;
}

TokenGuard guard_of_a_page() {
  return TokenGuard(kToken, [](const Request& request) { return request.target == "/"; });
}

TEST(TokenGuard, ServesWhoShowsTheToken) {
  auto guard = guard_of_a_page();
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER  "})
    EXPECT_EQ(status_of(guard, {.authorization = scheme + std::string(kToken)}), 200) << scheme;
  EXPECT_EQ(status_of(guard, {.method = "POST",
                              .target = "/v1/links/eu-west-1/cut",
                              .authorization = std::string("Bearer ") + kToken}),
            200);
}

TEST(TokenGuard, RefusesEverybodyElseWhateverIsAskedFor) {
  auto guard = guard_of_a_page();
  for (const char* target : {"/v1/status", "/metrics", "/v1/console", "/v1/links", "/version",
                             "/livezz", "/livez/", "//livez", "/x/../livez", "/console/x", "*", ""})
    for (const char* method : {"GET", "POST", "OPTIONS", "HEAD", "DELETE"})
      EXPECT_EQ(status_of(guard, {.method = method, .target = target}), 401) << method << target;
}

TEST(TokenGuard, TellsAWrongTokenFromNone) {
  auto guard = guard_of_a_page();
  auto none = guard.intercept(request_of({}));
  ASSERT_TRUE(none);
  EXPECT_EQ(header_of(*none, "WWW-Authenticate"), R"(Bearer realm="admin")");
  EXPECT_NE(none->body.find("Authorization: Bearer TOKEN"), std::string::npos);
  for (const char* given : {"Bearer 0123456789abcdeg", "Bearer 0123456789abcde",
                            "Bearer 0123456789abcdef0", "Bearer 0123456789abcdef "}) {
    auto wrong = guard.intercept(request_of({.authorization = given}));
    ASSERT_TRUE(wrong) << given;
    EXPECT_EQ(wrong->status, 401);
    EXPECT_EQ(header_of(*wrong, "WWW-Authenticate"),
              R"(Bearer realm="admin", error="invalid_token")");
    EXPECT_EQ(wrong->body.find(kToken), std::string::npos);
  }
  for (const char* other : {"Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef",
                            "AWS4-HMAC-SHA256 Credential=x"})
    EXPECT_EQ(status_of(guard, {.authorization = other}), 401) << other;
}

TEST(TokenGuard, CountsWhomItRefuses) {
  auto guard = guard_of_a_page();
  status_of(guard, {});
  status_of(guard, {.authorization = "Bearer 0123456789abcdeg"});
  status_of(guard, {.authorization = "Bearer another"});
  status_of(guard, {.authorization = std::string("Bearer ") + kToken});
  status_of(guard, {.target = "/livez"});
  MetricsPage page;
  guard.collect(page);
  auto text = page.text();
  EXPECT_NE(text.find("meridian_admin_refused_total{token=\"none\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("meridian_admin_refused_total{token=\"wrong\"} 2\n"), std::string::npos);
}

TEST(TokenGuard, LeavesHealthAndThePageOpen) {
  auto guard = guard_of_a_page();
  for (const char* target : {"/livez", "/readyz", "/healthz", "/readyz?now", "/"}) {
    EXPECT_EQ(status_of(guard, {.target = target}), 200) << target;
    EXPECT_EQ(status_of(guard, {.method = "POST", .target = target}), 401) << target;
    // DynamoDB's operations are told by a header, so none comes in by an open path.
    EXPECT_EQ(status_of(guard, {.target = target,
                                .headers = {{"x-amz-target", "DynamoDB_20120810.PutItem"}}}),
              401)
        << target;
  }
}

TEST(TokenGuard, WithoutATokenServesEverybody) {
  TokenGuard guard("");
  EXPECT_EQ(status_of(guard, {}), 200);
  EXPECT_EQ(status_of(guard, {.authorization = "Bearer whatever"}), 200);
  guard.replace(kToken);  // at the start or never
  EXPECT_EQ(status_of(guard, {}), 200);
}

TEST(TokenGuard, TakesAnotherToken) {
  TokenGuard guard(kToken);
  guard.replace("fedcba9876543210");
  EXPECT_EQ(status_of(guard, {.authorization = std::string("Bearer ") + kToken}), 401);
  EXPECT_EQ(status_of(guard, {.authorization = "Bearer fedcba9876543210"}), 200);
  guard.replace("");
  EXPECT_EQ(status_of(guard, {}), 401);
}

TEST(TokenGuard, InsideOriginsAPageCanReadThatItIsRefused) {
  TokenGuard guard(kToken);
  auto handler = Origins({"127.0.0.1:8180"}).around(guard.around(
      [](Request, const Responder& respond) { respond(Response{}); }));
  Response got;
  handler(request_of({.headers = {{"Origin", "http://127.0.0.1:8180"}}}),
          [&got](Response response) { got = std::move(response); });
  EXPECT_EQ(got.status, 401);
  EXPECT_EQ(header_of(got, "Access-Control-Allow-Origin"), "http://127.0.0.1:8180");
  // A browser asks first, without the token, whether it may send it.
  handler(request_of({.method = "OPTIONS", .headers = {{"Origin", "http://127.0.0.1:8180"}}}),
          [&got](Response response) { got = std::move(response); });
  EXPECT_EQ(got.status, 204);
  EXPECT_NE(header_of(got, "Access-Control-Allow-Headers").find("Authorization"),
            std::string::npos);
}

}  // namespace
}  // namespace meridian::http
