// HttpClient: one blocking keep-alive connection, for the command line and the load generator.
// Threads: one owner.  Errors: HttpError on a connection that fails or a deadline that passes.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace meridian::http {

class HttpError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ClientResponse {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  // `address`: host:port.  Connects at the first request, and again after a failure.
  explicit HttpClient(std::string address, std::int64_t timeout_ms = 10'000);
  ~HttpClient();
  ClientResponse get(const std::string& target,
                     const std::vector<std::pair<std::string, std::string>>& headers = {});
  ClientResponse post(const std::string& target, const std::string& body,
                      const std::vector<std::pair<std::string, std::string>>& headers = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meridian::http
