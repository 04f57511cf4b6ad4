#include "rpc/kj_thread.h"

#include <gtest/gtest.h>
#include <kj/debug.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "rpc/completions.h"
#include "tests/component/rpc/regions.h"

namespace meridian::rpc {
namespace {

class KjThreadTest : public ::testing::Test {
 protected:
  std::shared_ptr<test::MemoryLog> log_ = std::make_shared<test::MemoryLog>();
  KjThread thread_{Logger(log_), 64};
};

TEST_F(KjThreadTest, RunsTasksOfManyThreadsEachInItsOrder) {
  thread_.start();
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  std::vector<std::vector<int>> seen(kThreads);  // touched by the KJ thread only
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i)
        ASSERT_TRUE(thread_.mailbox()->post(
            [&seen, t, i] { seen[static_cast<std::size_t>(t)].push_back(i); }));
    });
  for (auto& thread : threads) thread.join();
  thread_.run([] {});
  for (const auto& each : seen) {
    ASSERT_EQ(each.size(), static_cast<std::size_t>(kTasks));
    EXPECT_TRUE(std::is_sorted(each.begin(), each.end()));
  }
  thread_.stop();
}

TEST_F(KjThreadTest, TryPostIsBoundedAndPostIsNot) {
  thread_.start();
  std::promise<void> release;
  auto released = release.get_future().share();
  ASSERT_TRUE(thread_.mailbox()->post([released] { released.wait(); }));
  int accepted = 0;
  std::atomic<int> ran{0};
  // The first task may still be queued, or a batch may have been drained with it.
  while (accepted < 200 && thread_.mailbox()->try_post([&ran] { ++ran; })) ++accepted;
  EXPECT_GE(accepted, 63);
  EXPECT_LE(accepted, 128);
  EXPECT_TRUE(thread_.mailbox()->post([&ran] { ++ran; }));
  release.set_value();
  thread_.run([] {});
  EXPECT_EQ(ran, accepted + 1);
  thread_.stop();
}

TEST_F(KjThreadTest, StopRunsWhatIsQueuedAndRefusesWhatComesLater) {
  thread_.start();
  std::atomic<int> ran{0};
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(thread_.mailbox()->post([&ran] { ++ran; }));
  thread_.stop();
  EXPECT_EQ(ran, 50);
  EXPECT_FALSE(thread_.mailbox()->post([] {}));
  thread_.stop();
}

TEST_F(KjThreadTest, WhatATaskThrowsIsLoggedAndWhatRunThrowsComesBack) {
  thread_.start();
  thread_.mailbox()->post([] { throw std::runtime_error("lost"); });
  thread_.mailbox()->post([] { kj::throwFatalException(KJ_EXCEPTION(FAILED, "lost too")); });
  EXPECT_THROW(thread_.run([] { throw std::runtime_error("mine"); }), std::runtime_error);
  EXPECT_THROW(thread_.run([] { kj::throwFatalException(KJ_EXCEPTION(FAILED, "x")); }),
               std::runtime_error);
  EXPECT_EQ(log_->count(LogLevel::error), 2u);
  thread_.stop();
}

TEST_F(KjThreadTest, TimersRunBesideABusyMailbox) {
  thread_.start();
  std::atomic<bool> fired{false};
  kj::Own<kj::Promise<void>> timer;
  thread_.run([&] {
    timer = kj::heap<kj::Promise<void>>(thread_.timer()
                                            .afterDelay(20 * kj::MILLISECONDS)
                                            .then([&fired] { fired = true; })
                                            .eagerlyEvaluate(nullptr));
  });
  EXPECT_TRUE(test::eventually([&] {
    thread_.run([] {});
    return fired.load();
  }));
  thread_.run([&] { timer = nullptr; });
  thread_.stop();
}

TEST_F(KjThreadTest, CompletionsComeBackToTheThreadAndMayComeTooLate) {
  thread_.start();
  std::unique_ptr<Completions<int>> completions;
  std::function<void(int)> answer;
  std::function<void(int)> too_late;
  std::atomic<int> got{0};
  std::atomic<int> lost{0};
  kj::Own<kj::Promise<void>> first;
  kj::Own<kj::Promise<void>> second;
  auto wait_on = [](kj::Promise<int> promise, std::atomic<int>& value, std::atomic<int>& failures) {
    return kj::heap<kj::Promise<void>>(promise
                                           .then([&value](int said) { value = said; },
                                                 [&failures](kj::Exception&&) { ++failures; })
                                           .eagerlyEvaluate(nullptr));
  };
  thread_.run([&] {
    completions = std::make_unique<Completions<int>>(thread_.mailbox());
    auto pending = completions->open();
    answer = pending.answer;
    first = wait_on(kj::mv(pending.promise), got, lost);
    auto other = completions->open();
    too_late = other.answer;
    second = wait_on(kj::mv(other.promise), got, lost);
  });
  answer(7);
  EXPECT_TRUE(test::eventually([&] { return got == 7; }));
  thread_.run([&] { completions.reset(); });
  EXPECT_TRUE(test::eventually([&] { return lost == 1; }));
  too_late(9);
  thread_.run([&] {
    first = nullptr;
    second = nullptr;
  });
  EXPECT_EQ(got, 7);
  thread_.stop();
  too_late(10);
}

}  // namespace
}  // namespace meridian::rpc
