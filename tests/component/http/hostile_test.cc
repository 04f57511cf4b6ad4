// Clients that mean harm, or are broken: each is told so or dropped, and the others notice nothing.
#include <sys/resource.h>

#include <chrono>
#include <future>
#include <mutex>
#include <thread>

#include "common/http/client.h"
#include "common/rng.h"
#include "tests/component/http/raw_connection.h"
#include "tests/component/http/server_fixture.h"

namespace meridian::test {
namespace {

using http::HttpClient;
using http::HttpLimits;
using http::Request;
using http::Responder;

constexpr char kChunked[] = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

class HostileTest : public ServerTest {
 protected:
  // The status line of the answer to what is sent on a connection of its own.
  std::string status_of(const std::string& bytes) {
    RawConnection connection(port());
    connection.send(bytes);
    auto answer = connection.answer();
    return answer.substr(0, answer.find("\r\n"));
  }
  // Waits until all connections have ended.
  bool forgotten() {
    for (int i = 0; i < 1000 && server_->connections() > 0; ++i) pause();
    return server_->connections() == 0;
  }
  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }
};

TEST_F(HostileTest, BadChunksAreRefused) {
  serve(echo);
  for (const char* chunk : {"zz\r\nab", "-1\r\nab", "\r\n\r\n", "fffffffffffffffff\r\nab",
                            "2\r\nabcd\r\n", "2;x=\"y\" z\r\nab", "2 2\r\nab"})
    EXPECT_EQ(status_of(kChunked + std::string(chunk)), "HTTP/1.1 400 Bad Request") << chunk;
  EXPECT_EQ(status_of(kChunked + std::string("7fffffffffffffff\r\nab")),
            "HTTP/1.1 413 Payload Too Large");
}

TEST_F(HostileTest, EndlessChunkHeadsAndTrailersAreRefused) {
  serve(echo);
  const std::string endless(100'000, 'x');
  const std::string refusal = "HTTP/1.1 431 Request Header Fields Too Large";
  EXPECT_EQ(status_of(kChunked + std::string("2;") + endless), refusal);
  EXPECT_EQ(status_of(kChunked + std::string("2\r\nab\r\n0\r\nx: ") + endless), refusal);
  EXPECT_EQ(status_of(kChunked + std::string(100'000, '0')), refusal);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nx: " + endless), refusal);
  EXPECT_EQ(status_of("POST /" + endless), refusal);
}

TEST_F(HostileTest, AbsurdLengthsAreRefused) {
  serve(echo);
  auto status = [this](const std::string& length) {
    return status_of("POST / HTTP/1.1\r\nContent-Length: " + length + "\r\n\r\nab");
  };
  for (const char* length : {"17000000", "9223372036854775807", "18446744073709551615"})
    EXPECT_EQ(status(length), "HTTP/1.1 413 Payload Too Large") << length;
  for (const char* length : {"99999999999999999999999", "-1", "0x10", "2 2", "", "1,2", "+2"})
    EXPECT_EQ(status(length), "HTTP/1.1 400 Bad Request") << length;
}

// The refusal comes before the body is sent: a client that waits for 100 sends none.
TEST_F(HostileTest, ABodyThatIsTooLargeIsRefusedBeforeItIsSent) {
  serve(echo);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nExpect: 100-continue\r\n"
                      "Content-Length: 17000000\r\n\r\n"),
            "HTTP/1.1 413 Payload Too Large");
}

TEST_F(HostileTest, OtherMethodsAndVersionsAreGivenToTheHandler) {
  serve(echo);
  for (const char* method : {"BREW", "DELETE", "PATCH", "OPTIONS", "TRACE", "x-y"}) {
    RawConnection connection(port());
    connection.send(std::string(method) + " /x HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(connection.answer().ends_with(std::string(method) + " /x ")) << method;
  }
  RawConnection old(port());
  old.send("POST /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_TRUE(old.answer().ends_with("POST /x ab"));
  old.send("GET /y HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.answer().ends_with("GET /y "));
  EXPECT_TRUE(old.closed_within(5'000));
}

TEST_F(HostileTest, AHalfClosedConnectionStillGetsItsAnswer) {
  serve(echo);
  RawConnection connection(port());
  connection.send("POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nab");
  connection.end_sending();
  EXPECT_TRUE(connection.answer().ends_with("POST /x ab"));
  EXPECT_TRUE(connection.closed_within(5'000));
  RawConnection cut(port());
  cut.send("POST /x HTTP/1.1\r\nContent-Length: 20\r\n\r\nab");
  cut.end_sending();
  EXPECT_TRUE(cut.closed_within(5'000));
}

// Bytes that keep coming, but never a whole request: the time is that of the request, not of a byte.
TEST_F(HostileTest, ATrickleIsDropped) {
  HttpLimits limits;
  limits.idle_ms_max = 200;
  serve(echo, limits);
  for (const char* head : {"POST / HTTP/1.1\r\nx: ",
                           "POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n",
                           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n"}) {
    RawConnection slow(port());
    slow.send(head);
    bool dropped = false;
    for (int i = 0; i < 1000 && !dropped; ++i) {
      slow.send("x");
      dropped = slow.closed_within(10);
    }
    EXPECT_TRUE(dropped) << head;
  }
  EXPECT_TRUE(forgotten());
}

TEST_F(HostileTest, AClientThatReadsNothingIsDropped) {
  HttpLimits limits;
  limits.idle_ms_max = 200;
  std::promise<void> asked;
  serve(
      [&asked](const Request&, const Responder& respond) {
        asked.set_value();
        respond({200, "text/plain", {}, std::string(64 * 1024 * 1024, 'x')});
      },
      limits);
  RawConnection deaf(port());
  deaf.send("GET / HTTP/1.1\r\n\r\n");
  asked.get_future().wait();
  EXPECT_TRUE(forgotten());
}

TEST_F(HostileTest, ResetsAtAnyTimeLeaveNothing) {
  std::mutex mutex;
  std::vector<Responder> kept;
  serve([&](const Request& request, const Responder& respond) {
    if (request.target != "/keep") return echo(request, respond);
    std::lock_guard lock(mutex);
    kept.push_back(respond);
  });
  HttpClient good(address());
  const std::string whole = "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" +
                            std::string(100'000, 'x') + "GET /keep HTTP/1.1\r\n\r\n";
  Rng rng(3);
  for (int i = 0; i < 300; ++i) {
    RawConnection rude(port());
    rude.send(std::string_view(whole).substr(0, rng.below(2) == 0 ? rng.below(80)
                                                                  : rng.below(whole.size() + 1)));
    if (rng.percent(20)) rude.closed_within(1);  // some after the answer has begun
    rude.reset();
    if (i % 50 == 0) {
      EXPECT_EQ(good.post("/", "ok").body, "POST / ok");
    }
  }
  {
    std::lock_guard lock(mutex);
    for (auto& respond : kept) respond({200, "text/plain", {}, "to nobody"});
    kept.clear();
  }
  EXPECT_EQ(good.post("/", "ok").body, "POST / ok");
  for (int i = 0; i < 1000 && server_->connections() > 1; ++i) pause();
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(HostileTest, RandomBytesAreRefusedOrDropped) {
  HttpLimits limits;
  limits.idle_ms_max = 500;
  serve(echo, limits);
  HttpClient good(address());
  Rng rng(4);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = rng.percent(50) ? "POST / HTTP/1.1\r\n" : "";
    for (std::uint64_t j = 0, size = rng.below(2000); j < size; ++j)
      bytes.push_back(static_cast<char>(rng.below(rng.percent(50) ? 256 : 64)));
    RawConnection rude(port());
    rude.send(bytes);
    rude.end_sending();
  }
  EXPECT_EQ(good.post("/", "ok").body, "POST / ok");
  for (int i = 0; i < 1000 && server_->connections() > 1; ++i) pause();
  EXPECT_LE(server_->connections(), 1u);
}

TEST_F(HostileTest, IdleConnectionsUpToTheLimitHarmNobody) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  HttpLimits limits;  // two files for each: both ends are here
  limits.connections_max = std::min<std::size_t>(4000, (files.rlim_cur - 200) / 2);
  serve(echo, limits);
  HttpClient good(address());
  EXPECT_EQ(good.post("/", "before").status, 200);
  std::vector<std::unique_ptr<RawConnection>> idle;
  while (idle.size() + 1 < limits.connections_max)
    idle.push_back(std::make_unique<RawConnection>(port()));
  for (int i = 0; i < 1000 && server_->connections() < limits.connections_max; ++i) pause();
  EXPECT_EQ(server_->connections(), limits.connections_max);
  EXPECT_EQ(good.post("/", "meanwhile").status, 200);
  RawConnection beyond(port());
  beyond.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(beyond.answer(), "");
  idle.front()->send("GET /x HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(idle.front()->answer().ends_with("GET /x "));
  idle.clear();
  for (int i = 0; i < 1000 && server_->connections() > 1; ++i) pause();
  RawConnection after(port());
  after.send("GET /y HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(after.answer().ends_with("GET /y "));
}

TEST_F(HostileTest, BodiesOfAllConnectionsAreBounded) {
  constexpr std::size_t kLarge = 64 * 1024 * 1024;  // more than the sockets hold
  HttpLimits limits;
  limits.bytes_in_flight_max = kLarge + 1024 * 1024;
  serve(
      [](const Request& request, const Responder& respond) {
        auto bytes = request.target == "/" ? std::size_t{10} : kLarge;
        respond({200, "text/plain", {}, std::string(bytes, 'x')});
      },
      limits);
  RawConnection deaf(port());
  deaf.send("GET /large HTTP/1.1\r\n\r\n");
  EXPECT_FALSE(deaf.closed_within(10'000));  // the answer has begun
  HttpClient good(address());
  EXPECT_EQ(good.post("/large", "").status, 503);
  EXPECT_EQ(good.post("/", std::string(4 * 1024 * 1024, 'x')).status, 503);
  EXPECT_EQ(good.post("/", "small").status, 200);
  deaf.reset();
  for (int i = 0; i < 1000 && server_->connections() > 1; ++i) pause();
  EXPECT_EQ(good.post("/large", "").status, 200);
  EXPECT_EQ(good.post("/", std::string(4 * 1024 * 1024, 'x')).status, 200);
}

}  // namespace
}  // namespace meridian::test
