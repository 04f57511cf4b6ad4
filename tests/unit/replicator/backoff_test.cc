#include "rpc/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace meridian::rpc {
namespace {

TEST(Backoff, DoublesUpToItsBoundWithJitterInTheUpperHalf) {
  Rng rng(1);
  Backoff backoff(50, 1000);
  for (std::int64_t bound : {50, 100, 200, 400, 800, 1000, 1000, 1000}) {
    auto wait_ms = backoff.next_ms(rng);
    EXPECT_GE(wait_ms, bound / 2);
    EXPECT_LE(wait_ms, bound);
  }
  backoff.reset();
  EXPECT_LE(backoff.next_ms(rng), 50);
}

TEST(Backoff, DoesNotOverflowHoweverLongTheOutage) {
  Rng rng(1);
  Backoff backoff(50, 5000);
  std::set<std::int64_t> waits;
  for (int i = 0; i < 1000; ++i) waits.insert(backoff.next_ms(rng));
  EXPECT_GE(*waits.begin(), 25);
  EXPECT_LE(*waits.rbegin(), 5000);
  EXPECT_GT(waits.size(), 100u) << "jitter";
}

}  // namespace
}  // namespace meridian::rpc
