#include "tools/meridian/client.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <thread>

#include "tools/meridian/unreachable.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

json::object parse_object(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error, {}, {.max_depth = 100});
  if (error || !value.is_object()) return {};
  return value.as_object();
}

constexpr const char* kTokenPlaces =
    "--admin-token-file, MERIDIAN_ADMIN_TOKEN_FILE or admin_token_file of the deployment file";

template <typename Ask>
Fetched answer_to(const std::string& target, bool token_shown, Ask ask) {
  Fetched out;
  out.target = target;
  try {
    auto response = ask();
    out.status = response.status;
    boost::system::error_code error;
    json::value value = json::parse(response.body, error, {}, {.max_depth = 100});
    if (response.status == 401) {
      out.problem = token_shown ? "it does not take this token; name the file of its own with "
                                : "it wants a token; name the file that holds it with ";
      out.problem += kTokenPlaces;
    } else if (response.status / 100 != 2) {
      std::string reason = value.is_object() ? text_at(value.as_object(), "error") : "";
      out.problem = reason.empty() ? "HTTP " + std::to_string(response.status) : reason;
    } else if (error) {
      out.problem = "the answer to " + target + " is not JSON";
    } else {
      out.body = std::move(value);
    }
  } catch (const http::HttpError& e) {
    out.problem = e.what();
  }
  return out;
}

}  // namespace

AdminClient::AdminClient(const AdminAddress& at, std::int64_t timeout_ms)
    : client_(at.address, timeout_ms) {
  if (!at.token.empty()) headers_.emplace_back("Authorization", "Bearer " + at.token);
}

Fetched fetch(AdminClient& client, const std::string& target) {
  return answer_to(target, !client.headers_.empty(),
                   [&] { return client.client_.get(target, client.headers_); });
}

Fetched post(AdminClient& client, const std::string& target, const std::string& body) {
  return answer_to(target, !client.headers_.empty(),
                   [&] { return client.client_.post(target, body, client.headers_); });
}

std::vector<Fetched> fetch_all(const std::vector<Page>& pages) {
  std::vector<Fetched> out(pages.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < pages.size(); ++i)
    threads.emplace_back([&page = pages[i], &slot = out[i]] {
      AdminClient client(page.address);
      slot = fetch(client, page.target);
    });
  for (auto& thread : threads) thread.join();
  return out;
}

json::object expect_object(const std::string& region, const Fetched& answer) {
  if (answer.body && answer.body->is_object()) return answer.body->as_object();
  if (answer.status == 0) throw Unreachable(region, answer.problem);
  // As nodes have said it from the beginning: 405 of any page that is asked with POST.
  bool unknown = answer.status == 405 || answer.problem.starts_with("no such page");
  if (unknown)
    throw std::runtime_error(region + " is up, but its node does not know " +
                             answer.target.substr(0, answer.target.find('?')) +
                             ": it is of an older release than this meridian.  Upgrade it, or use "
                             "its own release's meridian");
  throw std::runtime_error(region + ": " +
                           (answer.problem.empty() ? "no object in its answer" : answer.problem));
}

TableApi::TableApi(const std::string& address, std::string region, std::int64_t timeout_ms)
    : client_(address, timeout_ms), region_(std::move(region)) {}

json::object TableApi::call(const std::string& operation, const json::object& request,
                            const std::string& if_version) {
  // Signatures are not verified yet; the header has to be there, as AWS wants it.
  std::string authorization =
      "AWS4-HMAC-SHA256 Credential=meridian/20260101/" + region_ +
      "/dynamodb/aws4_request, SignedHeaders=host, Signature=" + std::string(64, '0');
  std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "application/x-amz-json-1.0"},
      {"X-Amz-Target", "DynamoDB_20120810." + operation},
      {"X-Amz-Date", "20260101T000000Z"},
      {"Authorization", authorization}};
  if (!if_version.empty()) headers.emplace_back("X-Meridian-If-Version", if_version);
  auto response = client_.post("/", json::serialize(request), headers);
  json::object body = parse_object(response.body);
  if (response.status == 200) return body;
  std::string type = text_at(body, "__type", "HTTP " + std::to_string(response.status));
  auto mark = type.rfind('#');
  if (mark != std::string::npos) type = type.substr(mark + 1);
  throw ApiFailure(response.status, type, text_at(body, "message", text_at(body, "Message")));
}

std::string text_at(const json::object& object, std::string_view key, const std::string& fallback) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return fallback;
  return std::string(value->as_string());
}

}  // namespace meridian::cli
