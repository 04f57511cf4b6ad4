#include "common/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace meridian {
namespace {

using std::chrono::milliseconds;

TEST(Mailbox, TakesEverythingAtOnceInOrder) {
  Mailbox<int> mailbox(10);
  for (int i = 0; i < 5; ++i) {
    int item = i;
    EXPECT_TRUE(mailbox.try_post(item));
  }
  EXPECT_EQ(mailbox.depth(), 5u);
  std::vector<int> out = {99};
  EXPECT_TRUE(mailbox.wait_drain(out, milliseconds(0)));
  EXPECT_EQ(out, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(mailbox.depth(), 0u);
}

TEST(Mailbox, RefusesWhenFullAndLeavesTheItem) {
  Mailbox<std::unique_ptr<int>> mailbox(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_TRUE(mailbox.try_post(first));
  EXPECT_FALSE(mailbox.try_post(second));
  EXPECT_EQ(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
  EXPECT_EQ(mailbox.refused(), 1u);
}

TEST(Mailbox, TimesOutWithNothing) {
  Mailbox<int> mailbox(1);
  std::vector<int> out;
  EXPECT_TRUE(mailbox.wait_drain(out, milliseconds(1)));
  EXPECT_TRUE(out.empty());
}

TEST(Mailbox, HandsOutWhatIsLeftAfterClose) {
  Mailbox<int> mailbox(10);
  int item = 1;
  EXPECT_TRUE(mailbox.try_post(item));
  mailbox.close();
  EXPECT_FALSE(mailbox.try_post(item));
  std::vector<int> out;
  EXPECT_TRUE(mailbox.wait_drain(out, milliseconds(1000)));
  EXPECT_EQ(out.size(), 1u);
  EXPECT_FALSE(mailbox.wait_drain(out, milliseconds(1000)));
}

TEST(Mailbox, CloseWakesTheConsumer) {
  Mailbox<int> mailbox(1);
  std::thread closer([&mailbox] { mailbox.close(); });
  std::vector<int> out;
  EXPECT_FALSE(mailbox.wait_drain(out, milliseconds(60'000)));
  closer.join();
}

// Each producer's items arrive in its own order, none twice and none lost.
TEST(Mailbox, LosesAndRepeatsNothingUnderThreads) {
  constexpr int kProducers = 4;
  constexpr int kItems = 20'000;
  Mailbox<std::pair<int, int>> mailbox(64);
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p)
    producers.emplace_back([&mailbox, p] {
      for (int i = 0; i < kItems; ++i) {
        std::pair<int, int> item{p, i};
        while (!mailbox.try_post(item)) std::this_thread::yield();
      }
    });
  std::vector<int> next(kProducers, 0);
  int taken = 0;
  std::vector<std::pair<int, int>> out;
  while (taken < kProducers * kItems) {
    ASSERT_TRUE(mailbox.wait_drain(out, milliseconds(10'000)));
    ASSERT_LE(out.size(), 64u);
    for (const auto& [producer, number] : out) {
      ASSERT_EQ(number, next[static_cast<std::size_t>(producer)]++);
      ++taken;
    }
  }
  for (auto& producer : producers) producer.join();
}

}  // namespace
}  // namespace meridian
