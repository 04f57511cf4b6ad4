// What a worker tells of leases: since when they are held, and how long their holders have been silent.
#include "checkpoint/lease_sights.h"

#include <gtest/gtest.h>

namespace meridian::checkpoint {
namespace {

const LeaseKey kKey{TableId{1, 2}, ShardId(0)};

Lease row(const std::string& owner, std::uint64_t token, std::uint64_t counter) {
  return {kKey, owner, token, counter, {}};
}

TEST(LeaseSights, AHoldingBeginsWhenItIsFirstSeenAndLivesAsLongAsItsCounterMoves) {
  LeaseSights sights;
  sights.see({row("a/1", 1, 1)}, 1000);
  sights.see({row("a/1", 1, 2)}, 2000);
  EXPECT_EQ(sights.of(kKey).held_since_ms, 1000);
  EXPECT_EQ(sights.of(kKey).alive_ms, 2000);
  sights.see({row("a/1", 1, 2)}, 3000);
  EXPECT_EQ(sights.of(kKey).held_since_ms, 1000);
  EXPECT_EQ(sights.of(kKey).alive_ms, 2000) << "it is silent";
}

TEST(LeaseSights, AWishIsNoSignOfLife) {
  LeaseSights sights;
  sights.see({row("a/1", 1, 1)}, 1000);
  Lease wanted = row("a/1", 1, 1);
  wanted.wanted = "b/1";
  sights.see({wanted}, 2000);
  EXPECT_EQ(sights.of(kKey).alive_ms, 1000);
}

TEST(LeaseSights, AnotherHolderOrTokenIsAnotherHolding) {
  LeaseSights sights;
  sights.see({row("a/1", 1, 1)}, 1000);
  sights.see({row("b/1", 2, 2)}, 2000);
  EXPECT_EQ(sights.of(kKey).held_since_ms, 2000);
  sights.see({row("b/1", 3, 2)}, 3000);
  EXPECT_EQ(sights.of(kKey).held_since_ms, 3000);
  EXPECT_EQ(sights.of(kKey).alive_ms, 3000);
}

TEST(LeaseSights, WhatIsGoneIsForgotten) {
  LeaseSights sights;
  sights.see({row("a/1", 1, 1)}, 1000);
  sights.see({}, 2000);
  sights.see({row("a/1", 1, 1)}, 3000);
  EXPECT_EQ(sights.of(kKey).held_since_ms, 3000);
}

}  // namespace
}  // namespace meridian::checkpoint
