// The two ways in which the command line talks to a region: admin pages as JSON, and DynamoDB's
// API.
//
// Threads: fetch_all() uses one per request and joins them; a TableApi has one owner.
// Errors: an admin page that cannot be had is a value (Fetched), because a region that is down is
// what an operator looks for, unless it is expected; TableApi::call throws ApiFailure when the region
// refuses, and http::HttpError when it does not answer.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/http/client.h"
#include "tools/meridian/deployment.h"

namespace meridian::cli {

inline constexpr std::int64_t kFetchMsMax = 2'000;

struct Page {
  AdminAddress address;
  std::string target;
};

struct Fetched {
  std::string target;
  std::optional<boost::json::value> body;  // empty when there was no answer
  int status = 0;
  std::string problem;  // why there is no body, for people
};

// A connection to one admin address that is kept; it shows the token with every request.
class AdminClient {
 public:
  explicit AdminClient(const AdminAddress& at, std::int64_t timeout_ms = kFetchMsMax);

 private:
  friend Fetched fetch(AdminClient& client, const std::string& target);
  friend Fetched post(AdminClient& client, const std::string& target, const std::string& body);
  http::HttpClient client_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

// One page.
Fetched fetch(AdminClient& client, const std::string& target);
// The same with POST.
Fetched post(AdminClient& client, const std::string& target, const std::string& body = "");
// All pages at once, so that one slow region does not delay the others; answers in the same order.
std::vector<Fetched> fetch_all(const std::vector<Page>& pages);

// The answer of a region that the command cannot do without.  Throws Unreachable when there was none,
// and std::runtime_error when the region refused; of a node that does not know the call it says that.
boost::json::object expect_object(const std::string& region, const Fetched& answer);

class ApiFailure : public std::runtime_error {
 public:
  ApiFailure(int status, std::string type, const std::string& message)
      : std::runtime_error(type + ": " + message), status_(status), type_(std::move(type)) {}
  [[nodiscard]] int status() const { return status_; }
  // AWS's error type without its prefix, such as ResourceNotFoundException.
  [[nodiscard]] const std::string& type() const { return type_; }

 private:
  int status_;
  std::string type_;
};

class TableApi {
 public:
  // Adding a replica may wait for another region, so a call may take long unless told otherwise.
  TableApi(const std::string& address, std::string region, std::int64_t timeout_ms = 60'000);
  // `if_version`: write only over this version (X-Meridian-If-Version); empty for any.
  boost::json::object call(const std::string& operation, const boost::json::object& request,
                           const std::string& if_version = "");

 private:
  http::HttpClient client_;
  std::string region_;
};

// The text at `key`, or `fallback` when there is none.
std::string text_at(const boost::json::object& object, std::string_view key,
                    const std::string& fallback = "");

}  // namespace meridian::cli
