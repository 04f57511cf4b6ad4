// ServerTest: an HTTP server of a test's own, on a port of the system's choice.
// Threads: one; handlers run on the server's two.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/http/server.h"

namespace meridian::test {

inline Logger silent() { return Logger(make_stderr_sink(LogLevel::error)); }

// Answers with method, target and body.
inline void echo(const http::Request& request, const http::Responder& respond) {
  respond({200,
           "text/plain",
           {{"x-test", "1"}},
           request.method + " " + request.target + " " + request.body});
}

class ServerTest : public testing::Test {
 protected:
  http::HttpServer& serve(http::Handler handler, http::HttpLimits limits = {}) {
    server_ = std::make_unique<http::HttpServer>(
        std::vector<http::Listener>{{"127.0.0.1:0", std::move(handler)}}, 2, limits, silent());
    server_->start();
    return *server_;
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(0); }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

  std::unique_ptr<http::HttpServer> server_;
};

}  // namespace meridian::test
