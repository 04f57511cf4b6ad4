// Origins: a page that is not ours gets nothing out of an endpoint, and cannot make it do anything.
#include "common/http/origins.h"

#include <gtest/gtest.h>

namespace meridian::http {
namespace {

Request from(const std::string& origin, const std::string& method = "GET") {
  Request request;
  request.method = method;
  request.headers = {{"Host", "127.0.0.1:8080"}};
  if (!origin.empty()) request.headers.emplace_back("Origin", origin);
  return request;
}

std::string header_of(const Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

// What a handler behind `origins` answers, and whether it was asked at all.
Response serve(const Origins& origins, Request request, bool* asked) {
  Response out;
  *asked = false;
  auto handler = origins.around([asked](Request, const Responder& respond) {
    *asked = true;
    respond(Response{});
  });
  handler(std::move(request), [&out](Response response) { out = std::move(response); });
  return out;
}

TEST(Origins, WhoNamesNoneIsNoBrowserAndIsServed) {
  bool asked = false;
  auto answer = serve(Origins({}), from(""), &asked);
  EXPECT_TRUE(asked);
  EXPECT_EQ(header_of(answer, "Access-Control-Allow-Origin"), "");
}

TEST(Origins, PagesOfTheDeploymentMayCallUnderBothNamesOfLoopback) {
  Origins origins({"127.0.0.1:8180"});
  for (const char* ours : {"http://127.0.0.1:8180", "http://localhost:8180",
                           "http://127.0.0.1:8080"}) {
    bool asked = false;
    auto answer = serve(origins, from(ours, "POST"), &asked);
    EXPECT_TRUE(asked) << ours;
    EXPECT_EQ(header_of(answer, "Access-Control-Allow-Origin"), ours);
    EXPECT_EQ(header_of(answer, "Vary"), "Origin");
  }
}

TEST(Origins, StrangersAreRefusedBeforeAnythingIsDone) {
  Origins origins({"127.0.0.1:8180"});
  for (const char* strange : {"http://evil.example", "null", "https://127.0.0.1:8180",
                              "http://127.0.0.1:81800", "http://127.0.0.1"})
    for (const char* method : {"GET", "POST", "OPTIONS"}) {
      bool asked = false;
      auto answer = serve(origins, from(strange, method), &asked);
      EXPECT_FALSE(asked) << strange;
      EXPECT_EQ(answer.status, 403);
      EXPECT_EQ(header_of(answer, "Access-Control-Allow-Origin"), "");
    }
}

TEST(Origins, APreflightIsAnsweredWithoutTheHandler) {
  bool asked = false;
  Origins origins({"127.0.0.1:8180"});
  auto answer = serve(origins, from("http://127.0.0.1:8180", "OPTIONS"), &asked);
  EXPECT_FALSE(asked);
  EXPECT_EQ(answer.status, 204);
  auto allowed = header_of(answer, "Access-Control-Allow-Headers");
  EXPECT_NE(allowed.find("X-Amz-Target"), std::string::npos);
}

}  // namespace
}  // namespace meridian::http
