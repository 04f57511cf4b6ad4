#include "common/http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace meridian::test {
namespace {

using http::HttpClient;
using http::HttpError;

// A server that takes connections one by one and answers each request with a fixed text.
class CannedServer {
 public:
  // `answers`: per connection, what it is told before it is closed; an empty one is told nothing.
  explicit CannedServer(std::vector<std::string> answers)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)), answers_(std::move(answers)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_, 8), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~CannedServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void run() {
    for (const auto& answer : answers_) {
      int client = ::accept(fd_, nullptr, nullptr);
      if (client < 0) return;
      std::array<char, 4096> request;
      while (::recv(client, request.data(), request.size(), 0) == 4096) {
      }
      // In one segment with the end, so that whoever has the answer can see that the connection is over.
      ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_MORE);
      ::close(client);
    }
  }

  int fd_;
  const std::vector<std::string> answers_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(ClientTest, ReadsLengthsChunksAndEnds) {
  CannedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                       "HTTP/1.1 201 Made\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
                       "2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n",
                       "HTTP/1.0 404 No\r\n\r\nto the end",
                       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Nothing\r\n\r\n"});
  HttpClient client(server.address());
  auto first = client.get("/");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "hello");
  auto second = client.get("/");
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.body, "abcde");
  auto third = client.get("/");
  EXPECT_EQ(third.status, 404);
  EXPECT_EQ(third.body, "to the end");
  EXPECT_EQ(client.get("/").status, 204);
}

TEST(ClientTest, BrokenAnswersAreErrors) {
  CannedServer server({"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "nonsense\r\n\r\n",
                       "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                       "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
  HttpClient client(server.address());
  for (int i = 0; i < 5; ++i) EXPECT_THROW(client.get("/"), HttpError) << i;
  EXPECT_EQ(client.get("/").body, "ok") << "it connects again after a failure";
}

TEST(ClientTest, NobodyThere) {
  EXPECT_THROW(HttpClient("127.0.0.1:1").get("/"), HttpError);
  EXPECT_THROW(HttpClient("no port").get("/"), HttpError);
  EXPECT_THROW(HttpClient("no.such.host.invalid:80").get("/"), HttpError);
}

TEST(ClientTest, GivesUpAtTheDeadline) {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(fd, 8), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  HttpClient client("127.0.0.1:" + std::to_string(ntohs(address.sin_port)), 100);
  EXPECT_THROW(client.get("/"), HttpError);
  ::close(fd);
}

}  // namespace
}  // namespace meridian::test
