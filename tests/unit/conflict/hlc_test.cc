#include "conflict/hlc.h"

#include <gtest/gtest.h>

#include "common/rng.h"

namespace meridian::conflict {
namespace {

TEST(Hlc, PacksMillisecondsAndCounter) {
  Hlc hlc{(std::uint64_t{1'700'000'000'123} << 16) + 7};
  EXPECT_EQ(hlc.physical_ms(), 1'700'000'000'123);
  EXPECT_EQ(hlc.logical(), 7);
  EXPECT_EQ(hlc.next().logical(), 8);
  EXPECT_LT(hlc, Hlc::at_ms(1'700'000'000'124));
}

TEST(Hlc, FullCounterCarriesIntoTheMilliseconds) {
  Hlc full{(std::uint64_t{1000} << 16) + 0xffff};
  EXPECT_EQ(full.next(), Hlc::at_ms(1001));
}

TEST(HybridClock, FollowsTheWallClock) {
  HybridClock clock;
  EXPECT_EQ(clock.mint(1000, Hlc{}), Hlc::at_ms(1000));
  EXPECT_EQ(clock.mint(2000, Hlc{}), Hlc::at_ms(2000));
}

TEST(HybridClock, NeverGoesBackWhenTheWallClockDoes) {
  HybridClock clock;
  Hlc first = clock.mint(5000, Hlc{});
  Hlc second = clock.mint(10, Hlc{});
  EXPECT_GT(second, first);
  EXPECT_EQ(second.physical_ms(), 5000);
  EXPECT_EQ(second.logical(), 1);
}

TEST(HybridClock, ExceedsItsFloorAndWhatItObserved) {
  HybridClock clock;
  Hlc floor = Hlc::at_ms(9000).next();
  EXPECT_GT(clock.mint(1000, floor), floor);
  Hlc seen = Hlc::at_ms(20'000);
  clock.observe(seen);
  EXPECT_GT(clock.mint(1000, Hlc{}), seen);
  clock.observe(Hlc::at_ms(5));
  EXPECT_GT(clock.last(), seen);
}

TEST(HybridClock, IsStrictlyIncreasingWhateverTheClockDoes) {
  Rng rng(21);
  HybridClock clock;
  Hlc last;
  std::int64_t wall = 1'000'000;
  for (int i = 0; i < 100'000; ++i) {
    wall += rng.between(-20, 22);
    Hlc seen = Hlc::at_ms(wall + rng.between(-300, 300));
    if (rng.percent(20)) clock.observe(seen);
    Hlc floor = rng.percent(30) ? Hlc::at_ms(wall + rng.between(-300, 300)) : Hlc{};
    Hlc minted = clock.mint(wall, floor);
    ASSERT_GT(minted, last);
    ASSERT_GT(minted, floor);
    ASSERT_GE(minted, Hlc::at_ms(wall));
    last = minted;
  }
}

TEST(HybridClock, CarriesAfterManyMintsInOneMillisecond) {
  HybridClock clock;
  Hlc last;
  for (int i = 0; i < 70'000; ++i) {
    Hlc minted = clock.mint(1000, Hlc{});
    ASSERT_GT(minted, last);
    last = minted;
  }
  EXPECT_EQ(last.physical_ms(), 1001);
}

// What the store does: a new ceiling is durable before anything minted past the old one is visible.
TEST(HybridClock, NothingMintedAfterARestartWasMintedBefore) {
  Rng rng(22);
  Hlc stored_ceiling;
  Hlc highest;
  std::int64_t wall = 1'000'000;
  for (int life = 0; life < 200; ++life) {
    HybridClock clock;
    clock.restore(stored_ceiling);
    wall -= rng.between(0, 50);  // the clock may go back while the process is down
    for (int i = 0; i < 50; ++i) {
      wall += rng.between(0, 5);
      Hlc minted = clock.mint(wall, Hlc{});
      if (clock.needs_ceiling()) {
        stored_ceiling = clock.next_ceiling();
        clock.ceiling_stored(stored_ceiling);
      }
      ASSERT_GT(minted, highest);
      ASSERT_LE(minted, stored_ceiling);
      highest = minted;
    }
  }
}

TEST(HybridClock, WritesTheCeilingSeldom) {
  HybridClock clock;
  int written = 0;
  for (int i = 0; i < 10'000; ++i) {
    clock.mint(1'000'000 + i, Hlc{});  // one write a millisecond
    if (clock.needs_ceiling()) {
      clock.ceiling_stored(clock.next_ceiling());
      ++written;
    }
  }
  EXPECT_LE(written, 10'000 / HybridClock::kCeilingStepMs + 1);
}

}  // namespace
}  // namespace meridian::conflict
