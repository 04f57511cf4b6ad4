// Sessions on virtual time over in-memory pipes: what a broken, silent or wrong peer does to them.
#include "rpc/session.h"

#include <gtest/gtest.h>
#include <kj/debug.h>

#include "rpc/codec.h"
#include "tests/component/rpc/regions.h"

namespace meridian::rpc {
namespace {

constexpr kj::Duration kStep = 10 * kj::MILLISECONDS;

class VirtualClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_us() const override { return 1'700'000'000'000'000 + now_us; }
  [[nodiscard]] std::int64_t monotonic_us() const override { return now_us; }
  std::int64_t now_us = 0;
};

// What the other side does; shared by all its connections.
struct Behaviour {
  HelloAnswer said{kProtocolVersion, RegionId::of("there"), NodeId(5), StartId(6)};
  bool refuse_hello = false;
  bool silent_pings = false;
  std::int64_t clock_ahead_us = 0;
  int hellos = 0;
  std::pair<std::uint32_t, std::uint32_t> heard;  // the protocols that hello offered
  int pings = 0;
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> never;
};

class FakeRegion final : public wire::Region::Server {
 public:
  FakeRegion(Behaviour& behaviour, const Clock& clock) : behaviour_(behaviour), clock_(clock) {}

  kj::Promise<void> hello(HelloContext context) override {
    ++behaviour_.hellos;
    if (behaviour_.refuse_hello) throw std::runtime_error("not you");
    auto results = context.getResults();
    behaviour_.heard = {context.getParams().getProtocol(), context.getParams().getProtocolMax()};
    results.setProtocol(behaviour_.said.protocol);
    results.setRegion(std::string(behaviour_.said.region.name()));
    results.setNode(behaviour_.said.node.value);
    results.setStart(behaviour_.said.start.value);
    return kj::READY_NOW;
  }

  kj::Promise<void> ping(PingContext context) override {
    ++behaviour_.pings;
    if (behaviour_.silent_pings) return never();
    context.getResults().setWallUs(clock_.wall_us() + behaviour_.clock_ahead_us);
    return kj::READY_NOW;
  }

  // Answers nobody, for deadlines.
  kj::Promise<void> acknowledge(AcknowledgeContext) override { return never(); }
  // Answers at once.
  kj::Promise<void> flowPosition(FlowPositionContext) override { return kj::READY_NOW; }

 private:
  kj::Promise<void> never() {
    auto pair = kj::newPromiseAndFulfiller<void>();
    behaviour_.never.push_back(kj::mv(pair.fulfiller));
    return kj::mv(pair.promise);
  }

  Behaviour& behaviour_;
  const Clock& clock_;
};

// Dials a FakeRegion over a pipe; `reachable` false refuses.
class PipeDialer final : public Dialer {
 public:
  PipeDialer(Behaviour& behaviour, const Clock& clock) : behaviour_(behaviour), clock_(clock) {}
  // KJ's members have destructors that may throw; the interface's may not.
  ~PipeDialer() noexcept override {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> dial() override {
    ++dials;
    if (no_descriptors) KJ_FAIL_REQUIRE("too many open files");
    if (distrusted)
      return KJ_EXCEPTION(FAILED, "TLS peer's certificate is not trusted",
                          "certificate has expired");
    if (!reachable) return KJ_EXCEPTION(DISCONNECTED, "connection refused");
    auto pipe = kj::newTwoWayPipe();
    server_ = kj::heap<ServerEnd>(kj::mv(pipe.ends[1]), behaviour_, clock_);
    return kj::mv(pipe.ends[0]);
  }
  void cut() { server_ = nullptr; }

  bool reachable = true;
  bool distrusted = false;
  bool no_descriptors = false;  // dial() throws instead of answering a promise that fails
  int dials = 0;

 private:
  struct ServerEnd {
    ServerEnd(kj::Own<kj::AsyncIoStream> stream_in, Behaviour& behaviour, const Clock& clock)
        : stream(kj::mv(stream_in)),
          network(*stream, capnp::rpc::twoparty::Side::SERVER),
          rpc(capnp::makeRpcServer(network, kj::heap<FakeRegion>(behaviour, clock))) {}
    kj::Own<kj::AsyncIoStream> stream;
    capnp::TwoPartyVatNetwork network;
    capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;
  };
  Behaviour& behaviour_;
  const Clock& clock_;
  kj::Own<ServerEnd> server_;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { make({}); }
  ~SessionTest() noexcept override {}

  void make(SessionOptions options) {
    options.hello = {kProtocolVersion, RegionId::of("here"), NodeId(1), Role::peer_node};
    options.expected = RegionId::of("there");
    options.address = "pipe";
    session_ = kj::heap<Session>(timer_, dialer_, clock_, rng_, Logger(log_), options);
  }
  void start() {
    session_->start([this](bool connected) { changes_.push_back(connected); });
    pass_ms(50);
  }
  void pass_ms(std::int64_t ms) {
    for (std::int64_t passed = 0; passed < ms; passed += 10) {
      clock_.now_us += 10'000;
      wait_scope_.poll();
      timer_.advanceTo(timer_.now() + kStep);
      wait_scope_.poll();
    }
  }

  kj::EventLoop loop_;
  kj::WaitScope wait_scope_{loop_};
  kj::TimerImpl timer_{kj::origin<kj::TimePoint>()};
  VirtualClock clock_;
  Rng rng_{3};
  std::shared_ptr<test::MemoryLog> log_ = std::make_shared<test::MemoryLog>();
  Behaviour there_;
  PipeDialer dialer_{there_, clock_};
  std::vector<bool> changes_;
  kj::Own<Session> session_;
};

using Position = capnp::Response<wire::Region::FlowPositionResults>;
using Acknowledged = capnp::Response<wire::Region::AcknowledgeResults>;

TEST_F(SessionTest, SaysHelloAndLearnsWhoIsThere) {
  start();
  EXPECT_TRUE(session_->connected());
  EXPECT_EQ(session_->peer(), there_.said);
  EXPECT_EQ(changes_, std::vector<bool>{true});
  auto answered = session_->call([](wire::Region::Client& client) {
    return kj::Promise<Position>(client.flowPositionRequest().send());
  });
  EXPECT_TRUE(answered.poll(wait_scope_));
}

TEST_F(SessionTest, MeasuresTheClockOffset) {
  there_.clock_ahead_us = 250'000;
  start();
  pass_ms(3000);
  ASSERT_TRUE(session_->figures().clock_offset_us);
  EXPECT_EQ(*session_->figures().clock_offset_us, 250'000);
  EXPECT_GE(there_.pings, 3);
}

TEST_F(SessionTest, ComesBackAfterACutHoweverOften) {
  start();
  for (int i = 0; i < 5; ++i) {
    dialer_.cut();
    pass_ms(4000);
    EXPECT_TRUE(session_->connected());
  }
  EXPECT_EQ(session_->figures().connects, 6u);
  EXPECT_EQ(changes_.size(), 11u);
}

TEST_F(SessionTest, KeepsDiallingThroughALongOutageWithoutFillingTheLog) {
  start();
  dialer_.reachable = false;
  dialer_.cut();
  auto dials = dialer_.dials;
  pass_ms(3'600'000);
  EXPECT_FALSE(session_->connected());
  EXPECT_GT(dialer_.dials, dials + 1000);
  EXPECT_LT(dialer_.dials, dials + 3600) << "it backs off";
  EXPECT_EQ(log_->count(LogLevel::warn), 1u);
  EXPECT_NE(session_->figures().reason.find("refused"), std::string::npos);
  dialer_.reachable = true;
  pass_ms(4000);
  EXPECT_TRUE(session_->connected());
}

TEST_F(SessionTest, ADialThatThrowsIsAFailureLikeAnyOther) {
  start();
  dialer_.no_descriptors = true;
  dialer_.cut();
  auto dials = dialer_.dials;
  pass_ms(60'000);
  EXPECT_FALSE(session_->connected());
  EXPECT_GT(dialer_.dials, dials + 5);
  dialer_.no_descriptors = false;
  pass_ms(6000);
  EXPECT_TRUE(session_->connected());
}

TEST_F(SessionTest, ASilentPeerIsGivenUpByItsHeartbeat) {
  start();
  there_.silent_pings = true;
  pass_ms(SessionOptions{}.ping_interval_ms + SessionOptions{}.ping_ms_max + 500);
  EXPECT_GE(changes_.size(), 2u);
  EXPECT_FALSE(changes_[1]);
}

TEST_F(SessionTest, APeerThatAnswersOtherCallsIsNotSilent) {
  start();
  there_.silent_pings = true;
  for (int i = 0; i < 100; ++i) {
    auto answered = session_->call([](wire::Region::Client& client) {
      return kj::Promise<Position>(client.flowPositionRequest().send());
    });
    pass_ms(100);
    ASSERT_TRUE(answered.poll(wait_scope_)) << i;
    answered.wait(wait_scope_);
  }
  EXPECT_TRUE(session_->connected());
  EXPECT_EQ(changes_.size(), 1u);
}

TEST_F(SessionTest, ACallHasADeadline) {
  start();
  std::optional<kj::Exception::Type> failure;
  auto call =
      session_
          ->call([](wire::Region::Client& client) {
            return kj::Promise<Acknowledged>(client.acknowledgeRequest().send());
          })
          .then([](Acknowledged&&) {}, [&failure](kj::Exception&& e) { failure = e.getType(); })
          .eagerlyEvaluate(nullptr);
  pass_ms(SessionOptions{}.call_ms_max - 100);
  EXPECT_FALSE(failure);
  pass_ms(200);
  EXPECT_EQ(failure, kj::Exception::Type::OVERLOADED);
  EXPECT_TRUE(session_->connected());
}

TEST_F(SessionTest, CallsUnderWayFailWhenTheConnectionDoes) {
  start();
  std::optional<kj::Exception::Type> failure;
  auto call =
      session_
          ->call([](wire::Region::Client& client) {
            return kj::Promise<Acknowledged>(client.acknowledgeRequest().send());
          })
          .then([](Acknowledged&&) {}, [&failure](kj::Exception&& e) { failure = e.getType(); })
          .eagerlyEvaluate(nullptr);
  dialer_.cut();
  pass_ms(20);
  EXPECT_EQ(failure, kj::Exception::Type::DISCONNECTED);
}

TEST_F(SessionTest, WithoutAConnectionACallFailsAtOnce) {
  dialer_.reachable = false;
  start();
  auto call = session_->call([](wire::Region::Client& client) {
    return kj::Promise<Position>(client.flowPositionRequest().send());
  });
  auto type = kj::Exception::Type::FAILED;
  call.then([](Position&&) {}, [&type](kj::Exception&& e) { type = e.getType(); })
      .wait(wait_scope_);
  EXPECT_EQ(type, kj::Exception::Type::DISCONNECTED);
}

TEST_F(SessionTest, TheWrongRegionOrProtocolIsNotTalkedTo) {
  there_.said.region = RegionId::of("elsewhere");
  start();
  pass_ms(1000);
  EXPECT_FALSE(session_->connected());
  EXPECT_NE(session_->figures().reason.find("is region elsewhere, not there"), std::string::npos);
  there_.said.region = RegionId::of("there");
  there_.said.protocol = 99;
  pass_ms(10'000);
  EXPECT_FALSE(session_->connected());
  EXPECT_NE(session_->figures().reason.find("protocol 99"), std::string::npos);
  there_.said.protocol = kProtocolVersion;
  pass_ms(10'000);
  EXPECT_TRUE(session_->connected());
}

TEST_F(SessionTest, SpeaksThePreviousProtocolWithAPeerOfThePreviousRelease) {
  there_.said.protocol = kProtocolVersion - 1;
  start();
  EXPECT_TRUE(session_->connected());
  EXPECT_EQ(session_->figures().protocol, kProtocolVersion - 1);
  // A release that knows no ranges reads the first number only, and must find its own there.
  EXPECT_EQ(there_.heard, std::pair(kProtocolVersion - 1, kProtocolVersion));
}

TEST(ProtocolTest, TheHighestThatBothSpeakIsAgreedOn) {
  auto agreed = [](std::uint32_t least, std::uint32_t most) {
    Hello hello;
    hello.protocol_min = least;
    hello.protocol = most;
    return agreed_protocol(hello, kProtocolVersion);
  };
  EXPECT_EQ(agreed(kProtocolMin, kProtocolVersion), kProtocolVersion);
  EXPECT_EQ(agreed(kProtocolVersion, kProtocolVersion + 1), kProtocolVersion) << "a newer peer";
  EXPECT_EQ(agreed(kProtocolMin - 1, kProtocolMin), kProtocolMin) << "an older one";
  EXPECT_FALSE(agreed(kProtocolVersion + 1, kProtocolVersion + 2));
  EXPECT_FALSE(agreed(0, kProtocolMin - 1));
  EXPECT_EQ(agreed_protocol(Hello{}, kProtocolMin), kProtocolMin) << "held down";
}

TEST_F(SessionTest, TheKindOfTroubleIsKnown) {
  start();
  EXPECT_EQ(session_->figures().trouble, LinkTrouble::none);
  there_.silent_pings = true;
  // (It is dialled again at once, and answers the hello.)
  for (int i = 0; i < 1000 && session_->connected(); ++i) pass_ms(10);
  EXPECT_EQ(session_->figures().trouble, LinkTrouble::silent);
  dialer_.reachable = false;
  pass_ms(10'000);
  EXPECT_EQ(session_->figures().trouble, LinkTrouble::unreachable);
  dialer_.reachable = true;
  there_.refuse_hello = true;
  pass_ms(10'000);
  EXPECT_EQ(session_->figures().trouble, LinkTrouble::refused);
  dialer_.distrusted = true;
  pass_ms(10'000);
  EXPECT_EQ(session_->figures().trouble, LinkTrouble::tls);
  EXPECT_NE(session_->figures().reason.find("has expired"), std::string::npos);
}

TEST_F(SessionTest, ARefusedHelloIsTriedAgainEverMoreSlowly) {
  there_.refuse_hello = true;
  start();
  pass_ms(60'000);
  EXPECT_FALSE(session_->connected());
  EXPECT_GT(there_.hellos, 10);
  EXPECT_LT(there_.hellos, 80);
}

}  // namespace
}  // namespace meridian::rpc
