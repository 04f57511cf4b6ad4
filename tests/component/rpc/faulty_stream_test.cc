// Faults on a pipe, on virtual time: what the two ends of a connection see of them.
#include "rpc/faults/stream.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/component/rpc/regions.h"

namespace meridian::rpc {
namespace {

const RegionId kHere = RegionId::of("here");
const RegionId kThere = RegionId::of("there");

class FaultyStreamTest : public ::testing::Test {
 protected:
  FaultyStreamTest() { connect(); }
  ~FaultyStreamTest() noexcept override {}

  void connect() {
    auto pipe = kj::newTwoWayPipe();
    ours_ = kj::heap<FaultyStream>(kj::mv(pipe.ends[0]), faults_.link(kThere));
    theirs_ = kj::mv(pipe.ends[1]);
    heard_there_.clear();
    heard_here_.clear();
    listening_ = kj::joinPromises(kj::arr(listen(*theirs_, heard_there_, ended_there_),
                                          listen(*ours_, heard_here_, ended_here_)))
                     .eagerlyEvaluate(nullptr);
  }

  kj::Promise<void> listen(kj::AsyncIoStream& stream, std::string& heard, bool& ended) {
    auto buffer = kj::heapArray<char>(1000);
    auto* into = buffer.begin();
    return stream.tryRead(into, 1, buffer.size())
        .then(
            [this, &stream, &heard, &ended, buffer = kj::mv(buffer)](
                std::size_t size) -> kj::Promise<void> {
              heard.append(buffer.begin(), size);
              if (size > 0) return listen(stream, heard, ended);
              ended = true;
              return kj::READY_NOW;
            },
            [&ended](kj::Exception&&) -> kj::Promise<void> {
              ended = true;
              return kj::READY_NOW;
            });
  }

  // One after the other, as a stream wants it; false while the writer is held up.
  bool write(kj::AsyncIoStream& stream, std::string text) {
    auto& [last, under_way] = writers_[&stream];
    ++under_way;
    auto* count = &under_way;
    last = last.then([&stream, text = kj::heap<std::string>(std::move(text))]() mutable {
                 auto writing = stream.write(text->data(), text->size());
                 return writing.attach(kj::mv(text));
               })
               .then([count] { --*count; })
               .eagerlyEvaluate(nullptr);
    wait_scope_.poll();
    return under_way == 0;
  }

  void pass_ms(std::int64_t ms) {
    for (std::int64_t i = 0; i < ms; ++i) {
      timer_.advanceTo(timer_.now() + kj::MILLISECONDS);
      wait_scope_.poll();
    }
  }

  struct Writer {
    kj::Promise<void> last = kj::READY_NOW;
    int under_way = 0;
  };

  kj::EventLoop loop_;
  kj::WaitScope wait_scope_{loop_};
  kj::TimerImpl timer_{kj::origin<kj::TimePoint>()};
  Rng rng_{3};
  std::shared_ptr<test::MemoryLog> log_ = std::make_shared<test::MemoryLog>();
  LinkFaults faults_{timer_, rng_, kHere, Logger(log_)};
  std::string heard_here_;
  std::string heard_there_;
  bool ended_here_ = false;
  bool ended_there_ = false;
  kj::Own<kj::AsyncIoStream> ours_;
  kj::Own<kj::AsyncIoStream> theirs_;
  std::map<kj::AsyncIoStream*, Writer> writers_;
  kj::Promise<void> listening_ = nullptr;
};

TEST_F(FaultyStreamTest, WithoutFaultsBytesPassBothWays) {
  EXPECT_TRUE(write(*ours_, "hello"));
  EXPECT_TRUE(write(*theirs_, "and you"));
  EXPECT_EQ(heard_there_, "hello");
  EXPECT_EQ(heard_here_, "and you");
}

TEST_F(FaultyStreamTest, ACutSwallowsBothWaysSilentlyAndHealsByItself) {
  faults_.put(kThere, {FaultKind::cut, 3000, 0, 0, 0});
  EXPECT_TRUE(write(*ours_, "a")) << "the system's buffer takes it";
  write(*theirs_, "b");
  pass_ms(2990);
  EXPECT_EQ(heard_there_ + heard_here_, "");
  EXPECT_FALSE(ended_here_ || ended_there_);
  pass_ms(20);
  EXPECT_EQ(heard_there_, "a");
  EXPECT_EQ(heard_here_, "b");
  EXPECT_TRUE(write(*ours_, "c"));
  EXPECT_EQ(heard_there_, "ac");
  EXPECT_TRUE(log_->contains("link_fault_began"));
  EXPECT_TRUE(log_->contains("reason=\"its time is over\""));
}

TEST_F(FaultyStreamTest, HealingEndsACutEarly) {
  faults_.put(kThere, {FaultKind::cut, 3'600'000, 0, 0, 0});
  write(*ours_, "a");
  pass_ms(100);
  EXPECT_EQ(faults_.heal(kThere), 1u);
  wait_scope_.poll();
  EXPECT_EQ(heard_there_, "a");
  EXPECT_EQ(faults_.heal(kThere), 0u);
}

TEST_F(FaultyStreamTest, DuringACutTheEndOfAConnectionIsNotSeenOnEitherSide) {
  faults_.put(kThere, {FaultKind::cut, 5000, 0, 0, 0});
  theirs_->shutdownWrite();
  pass_ms(1000);
  EXPECT_FALSE(ended_here_);
  listening_ = nullptr;
  listening_ = listen(*theirs_, heard_there_, ended_there_).eagerlyEvaluate(nullptr);
  ours_ = nullptr;
  pass_ms(1000);
  EXPECT_FALSE(ended_there_);
  pass_ms(3100);
  EXPECT_TRUE(ended_there_);
}

TEST_F(FaultyStreamTest, AnEndDuringACutIsSeenAfterIt) {
  faults_.put(kThere, {FaultKind::cut, 1000, 0, 0, 0});
  theirs_->shutdownWrite();
  pass_ms(900);
  EXPECT_FALSE(ended_here_);
  pass_ms(200);
  EXPECT_TRUE(ended_here_);
}

TEST_F(FaultyStreamTest, ADelayMovesEverythingEachWayAndKeepsTheOrder) {
  faults_.put(kThere, {FaultKind::delay, 3'600'000, 80, 0, 0});
  for (char c = 'a'; c <= 'e'; ++c) {
    EXPECT_TRUE(write(*ours_, std::string(1, c))) << "a delay is no stop and go";
    write(*theirs_, std::string(1, c));
    pass_ms(10);
  }
  EXPECT_EQ(heard_there_ + heard_here_, "");
  pass_ms(31);
  EXPECT_EQ(heard_there_, "a");
  EXPECT_EQ(heard_here_, "a");
  pass_ms(40);
  EXPECT_EQ(heard_there_, "abcde");
  EXPECT_EQ(heard_here_, "abcde");
}

TEST_F(FaultyStreamTest, JitterKeepsTheOrder) {
  faults_.put(kThere, {FaultKind::delay, 3'600'000, 50, 50, 0});
  std::string sent;
  for (int i = 0; i < 200; ++i) {
    sent += std::to_string(i) + ",";
    write(*ours_, std::to_string(i) + ",");
    pass_ms(1);
  }
  pass_ms(101);
  EXPECT_EQ(heard_there_, sent);
}

TEST_F(FaultyStreamTest, ALimitHoldsBothTheRateAndTheWriterBack) {
  faults_.put(kThere, {FaultKind::limit, 3'600'000, 0, 0, 1'000'000});
  EXPECT_TRUE(write(*ours_, std::string(FaultyStream::kQueueBytesMax, 'x')));
  EXPECT_FALSE(write(*ours_, std::string(200'000, 'y'))) << "the queue is full";
  pass_ms(1000);
  EXPECT_NEAR(static_cast<double>(heard_there_.size()), 1e6, 1e5);
  EXPECT_TRUE(write(*ours_, "z")) << "there is room again";
  faults_.heal(kThere);
  pass_ms(2);
  EXPECT_EQ(heard_there_.size(), FaultyStream::kQueueBytesMax + 200'001);
}

TEST_F(FaultyStreamTest, AfterAFaultEverythingArrivesInOrder) {
  // Faults of all kinds come and go while both sides talk.
  std::string sent_here, sent_there;
  for (int i = 0; i < 3000; ++i) {
    if (i % 100 == 0) {
      auto kind = kFaultKinds[rng_.below(kFaultKinds.size())];
      faults_.put(kThere, {kind, rng_.between(1, 150), 20, 20, 20'000, 100});
    }
    if (i % 170 == 0) faults_.heal(kThere);
    auto text = std::to_string(i) + ";";
    sent_here += text;
    write(*ours_, text);
    sent_there += text;
    write(*theirs_, text);
    pass_ms(1);
  }
  faults_.heal(kThere);
  pass_ms(10);
  EXPECT_EQ(heard_there_, sent_here);
  EXPECT_EQ(heard_here_, sent_there);
}

TEST_F(FaultyStreamTest, WhatIsBehindAnEndOfWritingComesBeforeIt) {
  faults_.put(kThere, {FaultKind::delay, 3'600'000, 30, 0, 0});
  write(*ours_, "last");
  ours_->shutdownWrite();
  pass_ms(20);
  EXPECT_FALSE(ended_there_);
  pass_ms(20);
  EXPECT_EQ(heard_there_, "last");
  EXPECT_TRUE(ended_there_);
}

class CountingDialer final : public Dialer {
 public:
  explicit CountingDialer(int& dials) : dials_(dials) {}
  kj::Promise<kj::Own<kj::AsyncIoStream>> dial() override {
    ++dials_;
    auto pipe = kj::newTwoWayPipe();
    return kj::mv(pipe.ends[0]);
  }

 private:
  int& dials_;
};

TEST_F(FaultyStreamTest, DialsDuringACutGetNoAnswer) {
  int dials = 0;
  FaultyDialer dialer(kj::heap<CountingDialer>(dials), faults_.link(kThere));
  faults_.put(kThere, {FaultKind::cut, 1000, 0, 0, 0});
  auto dialled = dialer.dial();
  pass_ms(990);
  EXPECT_FALSE(dialled.poll(wait_scope_));
  EXPECT_EQ(dials, 0);
  pass_ms(20);
  EXPECT_TRUE(dialled.poll(wait_scope_));
  EXPECT_EQ(dials, 1);
}

TEST_F(FaultyStreamTest, LinksAreApart) {
  auto& other = faults_.link(RegionId::of("other"));
  faults_.put(kThere, {FaultKind::cut, 1000, 0, 0, 0});
  EXPECT_FALSE(other.cut());
  EXPECT_FALSE(faults_.known(RegionId::of("elsewhere")));
  auto said = faults_.describe(kThere);
  ASSERT_EQ(said.faults.size(), 1u);
  EXPECT_EQ(said.faults[0].left_ms, 1000);
  pass_ms(400);
  EXPECT_EQ(faults_.describe(kThere).faults[0].left_ms, 600);
}

}  // namespace
}  // namespace meridian::rpc
