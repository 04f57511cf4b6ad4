#include "common/http/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "common/http/client.h"
#include "tests/component/http/raw_connection.h"
#include "tests/component/http/server_fixture.h"

namespace meridian::test {
namespace {

using http::HttpClient;
using http::HttpLimits;
using http::HttpServer;
using http::Request;
using http::Responder;
using http::Response;

TEST_F(ServerTest, KeepsTheConnection) {
  serve(echo);
  HttpClient client(address());
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(client.post("/x", std::to_string(i)).body, "POST /x " + std::to_string(i));
  EXPECT_EQ(client.get("/y?z").body, "GET /y?z ");
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  std::vector<std::thread> workers;
  serve([&](Request request, Responder respond) {
    workers.emplace_back(
        [request = std::move(request), respond = std::move(respond)] { echo(request, respond); });
  });
  RawConnection connection(port());
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
  connection.send(all);
  for (int i = 0; i < 50; ++i) {
    auto answer = connection.answer();
    EXPECT_TRUE(answer.ends_with("POST /" + std::to_string(i) + " abc")) << answer;
  }
  server_->stop();
  for (auto& worker : workers) worker.join();
}

TEST_F(ServerTest, PutsTogetherARequestInPieces) {
  serve(echo);
  RawConnection connection(port());
  for (char c : std::string("POST /x HTTP/1.1\r\nContent-Length: 5\r\nHost: a\r\n\r\nhello"))
    connection.send({&c, 1});
  auto answer = connection.answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("POST /x hello")) << answer;
  connection.send(
      "POST /y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(connection.answer().ends_with("POST /y abcde"));
}

TEST_F(ServerTest, HeadersAreFoundInAnyCase) {
  serve([](const Request& request, const Responder& respond) {
    respond({200, "text/plain", {}, std::string(request.header("x-amz-target"))});
  });
  HttpClient client(address());
  EXPECT_EQ(client.post("/", "", {{"X-Amz-Target", "DynamoDB_20120810.GetItem"}}).body,
            "DynamoDB_20120810.GetItem");
}

TEST_F(ServerTest, ClosesWhenAsked) {
  serve(echo);
  RawConnection one(port());
  one.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_NE(one.answer().find("Connection: close"), std::string::npos);
  EXPECT_TRUE(one.closed_within(5'000));
  RawConnection old(port());
  old.send("GET / HTTP/1.0\r\n\r\n");
  old.answer();
  EXPECT_TRUE(old.closed_within(5'000));
}

TEST_F(ServerTest, HeadHasNoBody) {
  serve(echo);
  RawConnection connection(port());
  connection.send("HEAD /x HTTP/1.1\r\n\r\nGET /y HTTP/1.1\r\nConnection: close\r\n\r\n");
  connection.end_sending();
  std::string all;
  for (std::string part = connection.answer(); !part.empty(); part = connection.answer())
    all += part;
  EXPECT_EQ(all.find("HEAD /x"), std::string::npos);
  EXPECT_TRUE(all.ends_with("GET /y ")) << all;
}

TEST_F(ServerTest, ARefusalAfterAHeadHasABody) {
  serve(echo);
  RawConnection connection(port());
  connection.send("HEAD /x HTTP/1.1\r\n\r\n");
  connection.answer();
  connection.send("hello\r\n\r\n");
  auto refusal = connection.answer();
  EXPECT_TRUE(refusal.starts_with("HTTP/1.1 400 "));
  EXPECT_FALSE(refusal.ends_with("\r\n\r\n")) << refusal;
}

TEST_F(ServerTest, RefusesWhatIsTooLarge) {
  HttpLimits limits;
  limits.body_bytes_max = 1000;
  limits.header_bytes_max = 500;
  serve(echo, limits);
  HttpClient client(address());
  EXPECT_EQ(client.post("/", std::string(1000, 'x')).status, 200);
  EXPECT_EQ(client.post("/", std::string(1001, 'x')).status, 413);
  // Far more than the socket buffers hold: the sender must still get to see the answer.
  EXPECT_EQ(client.post("/", std::string(8 * 1024 * 1024, 'x')).status, 413);
  EXPECT_EQ(client.post("/", "", {{"x", std::string(600, 'y')}}).status, 431);
  EXPECT_EQ(client.post("/", "", {{"x", std::string(100'000, 'y')}}).status, 431);
  RawConnection chunked(port());
  chunked.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5DC\r\n" +
               std::string(1500, 'x') + "\r\n0\r\n\r\n");
  EXPECT_TRUE(chunked.answer().starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(client.post("/", "ok").status, 200);
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  serve(echo);
  for (std::string garbage :
       {"hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    RawConnection connection(port());
    connection.send(garbage);
    auto answer = connection.answer();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << garbage << "\n" << answer;
    connection.end_sending();
    EXPECT_TRUE(connection.closed_within(5'000)) << garbage;
  }
}

TEST_F(ServerTest, SaysContinueWhenAsked) {
  serve(echo);
  RawConnection connection(port());
  connection.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(connection.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send("ok");
  EXPECT_TRUE(connection.answer().ends_with("POST / ok"));
}

TEST_F(ServerTest, DropsSlowClientsButNotSlowHandlers) {
  HttpLimits limits;
  limits.idle_ms_max = 200;
  std::promise<Responder> asked;
  serve(
      [&](const Request& request, const Responder& respond) {
        if (request.target == "/slow")
          asked.set_value(respond);
        else
          echo(request, respond);
      },
      limits);
  RawConnection patient(port());
  patient.send("GET /slow HTTP/1.1\r\n\r\n");
  auto respond = asked.get_future().get();
  RawConnection silent_one(port());
  RawConnection halting(port());
  halting.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(silent_one.closed_within(5'000));
  EXPECT_TRUE(halting.closed_within(5'000));
  respond({200, "text/plain", {}, "at last"});
  EXPECT_TRUE(patient.answer().ends_with("at last"));
}

TEST_F(ServerTest, BoundsConnections) {
  HttpLimits limits;
  limits.connections_max = 2;
  serve(echo, limits);
  HttpClient one(address());
  HttpClient two(address());
  EXPECT_EQ(one.get("/").status, 200);
  EXPECT_EQ(two.get("/").status, 200);
  RawConnection three(port());
  three.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(three.closed_within(5'000));
  EXPECT_EQ(one.get("/").status, 200);
}

TEST_F(ServerTest, AnswersFromManyThreadsAtOnce) {
  std::atomic<int> next{0};
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::vector<std::pair<Request, Responder>> waiting;
  std::atomic<bool> over{false};
  serve([&](Request request, Responder respond) {
    std::lock_guard lock(mutex);
    waiting.emplace_back(std::move(request), std::move(respond));
  });
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      while (!over) {
        std::vector<std::pair<Request, Responder>> mine;
        {
          std::lock_guard lock(mutex);
          mine.swap(waiting);
        }
        for (auto& [request, respond] : mine) echo(request, respond);
        std::this_thread::yield();
      }
    });
  }
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      HttpClient client(address());
      for (int n = 0; n < 200; ++n) {
        auto body = std::to_string(next++);
        if (client.post("/", body).body == "POST / " + body) ++right;
      }
    });
  }
  for (auto& client : clients) client.join();
  over = true;
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(right, 8 * 200);
}

TEST_F(ServerTest, LargeBodiesComeThrough) {
  serve(echo);
  HttpClient client(address());
  std::string body(16 * 1024 * 1024, 'x');
  auto response = client.post("/", body);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.size(), body.size() + 7);
}

TEST_F(ServerTest, AHandlerThatThrowsOrForgetsIsAnswered500) {
  serve([](const Request& request, const Responder&) {
    if (request.target == "/throw") throw std::runtime_error("broken");
  });
  HttpClient client(address());
  EXPECT_EQ(client.get("/forget").status, 500);
  EXPECT_EQ(client.get("/forget").status, 500);
}

TEST_F(ServerTest, StopLetsAnswersUnderWayFinish) {
  std::promise<Responder> asked;
  serve([&](const Request&, const Responder& respond) { asked.set_value(respond); });
  RawConnection idle(port());
  auto address_of_server = address();
  auto answer = std::async([&] { return HttpClient(address_of_server).get("/").body; });
  auto respond = asked.get_future().get();
  auto stopped = std::async([&] { server_->stop(); });
  EXPECT_TRUE(idle.closed_within(3'000));
  respond({200, "text/plain", {}, "finished"});
  EXPECT_EQ(answer.get(), "finished");
  stopped.get();
  EXPECT_EQ(server_->connections(), 0u);
  EXPECT_THROW(HttpClient(address_of_server).get("/"), http::HttpError);
}

TEST_F(ServerTest, AnswersAfterTheEndAreForgotten) {
  std::promise<Responder> asked;
  serve([&](const Request&, const Responder& respond) { asked.set_value(respond); });
  auto connection = std::make_unique<RawConnection>(port());
  connection->send("GET / HTTP/1.1\r\n\r\n");
  auto respond = asked.get_future().get();
  server_.reset();
  respond({200, "text/plain", {}, "too late"});
}

TEST(ServerStartTest, ATakenAddressIsNamed) {
  HttpServer first({{"127.0.0.1:0", echo}}, 1, {}, silent());
  first.start();
  auto address = "127.0.0.1:" + std::to_string(first.port(0));
  HttpServer second({{address, echo}}, 1, {}, silent());
  try {
    second.start();
    FAIL() << "it started";
  } catch (const std::runtime_error& failure) {
    EXPECT_NE(std::string(failure.what()).find(address), std::string::npos);
  }
}

TEST(ServerStartTest, ServesSeveralAddresses) {
  auto say = [](std::string text) {
    return [text](const Request&, const Responder& respond) {
      respond({200, "text/plain", {}, text});
    };
  };
  HttpServer server({{"127.0.0.1:0", say("one")}, {"localhost:0", say("two")}}, 1, {}, silent());
  server.start();
  EXPECT_EQ(HttpClient("127.0.0.1:" + std::to_string(server.port(0))).get("/").body, "one");
  EXPECT_EQ(HttpClient("localhost:" + std::to_string(server.port(1))).get("/").body, "two");
}

}  // namespace
}  // namespace meridian::test
