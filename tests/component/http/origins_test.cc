// Origins: a page that is not ours gets nothing out of an endpoint, and cannot make it do anything.
#include "common/http/origins.h"

#include <gtest/gtest.h>

#include "tests/component/http/answer.h"

namespace meridian::http {
namespace {

Request from(const std::string& origin, const std::string& method = "GET") {
  Request request;
  request.method = method;
  request.headers = {{"Host", "127.0.0.1:8080"}};
  if (!origin.empty()) request.headers.emplace_back("Origin", origin);
  return request;
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

TEST(Origins, AStrangersNameThatLeadsHereIsRefused) {
  Origins origins({"db1.corp.example:8080"});
  auto status_for = [&origins](const std::string& host) {
    Request request;
    request.method = "POST";
    request.headers = {{"Host", host}, {"Origin", "http://" + host}};
    bool asked = false;
    Response answer = serve(origins, std::move(request), &asked);
    EXPECT_EQ(asked, answer.status == 200) << host;
    return answer.status;
  };
  for (const char* ours : {"localhost:8080", "us-east-1:8080", "127.0.0.1:9", "[::1]:8080",
                           "10.0.0.7", "db1.corp.example:8080", "db1.corp.example:18080"})
    EXPECT_EQ(status_for(ours), 200) << ours;
  for (const char* strange : {"evil.example:8080", "evil.example", "127.0.0.1.evil.example:8080",
                              "db1.corp.example.evil.example:8080", "1.2.3.4.5:8080",
                              "[evil.example]:80"})
    EXPECT_EQ(status_for(strange), 403) << strange;
}

TEST(Origins, WithoutAHostThereIsNoBrowser) {
  Request request;
  request.method = "GET";
  bool asked = false;
  serve(Origins({}), std::move(request), &asked);
  EXPECT_TRUE(asked);
}

TEST(Origins, APreflightIsAnsweredWithoutTheHandler) {
  bool asked = false;
  Origins origins({"127.0.0.1:8180"});
  auto answer = serve(origins, from("http://127.0.0.1:8180", "OPTIONS"), &asked);
  EXPECT_FALSE(asked);
  EXPECT_EQ(answer.status, 204);
  auto allowed = header_of(answer, "Access-Control-Allow-Headers");
  for (const char* header : {"X-Amz-Target", "X-Meridian-If-Version"})
    EXPECT_NE(allowed.find(header), std::string::npos) << header;
}

}  // namespace
}  // namespace meridian::http
