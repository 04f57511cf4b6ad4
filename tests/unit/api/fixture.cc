#include "tests/unit/api/fixture.h"

namespace meridian::test {

ApiFixture::ApiFixture()
    : store_(clock_),
      replicas_(store_),
      api_(store_, replicas_, clock_, Rng(7), Logger(make_stderr_sink(LogLevel::error))),
      handler_(api_.handler()) {}

http::Response ApiFixture::call(const std::string& operation, const std::string& body) {
  http::Request request;
  request.method = "POST";
  request.target = "/";
  request.headers = {{"X-Amz-Target", "DynamoDB_20120810." + operation},
                     {"Host", "localhost:8000"}};
  request.body = body;
  std::optional<http::Response> response;
  handler_(std::move(request), [&](http::Response answer) { response = std::move(answer); });
  EXPECT_TRUE(response.has_value()) << operation << " did not answer";
  return std::move(response).value_or(http::Response{});
}

std::string ApiFixture::ok(const std::string& operation, const std::string& body) {
  auto response = call(operation, body);
  EXPECT_EQ(response.status, 200) << operation << " " << body << "\n" << response.body;
  return response.body;
}

std::string ApiFixture::error(const std::string& operation, const std::string& body) {
  auto response = call(operation, body);
  EXPECT_EQ(response.status, 400) << operation << " " << body << "\n" << response.body;
  auto type = member(response.body, "__type");
  auto text = member(response.body, "message");
  if (text.empty()) text = member(response.body, "Message");
  return type.substr(type.find('#') + 1) + ": " + text;
}

std::string ApiFixture::member(const std::string& json, const std::string& name) {
  std::string head = "\"" + name + "\":\"";
  auto at = json.find(head);
  if (at == std::string::npos) return {};
  at += head.size();
  return json.substr(at, json.find('"', at) - at);
}

void ApiFixture::make_tables() {
  ok("CreateTable",
     R"({"TableName":"Plain","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
         "AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],
         "BillingMode":"PAY_PER_REQUEST"})");
  ok("CreateTable",
     R"({"TableName":"Sorted","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},
                                           {"AttributeName":"s","KeyType":"RANGE"}],
         "AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},
                                 {"AttributeName":"s","AttributeType":"N"}],
         "BillingMode":"PAY_PER_REQUEST"})");
}

}  // namespace meridian::test
