#include "conflict/stable_horizon.h"

#include <gtest/gtest.h>

namespace meridian::conflict {
namespace {

using Limit = StableHorizon::Limit;

const RegionId kA = RegionId::of("ap-south-1");
const RegionId kB = RegionId::of("eu-west-1");
const RegionId kC = RegionId::of("us-east-1");
const std::set<RegionId> kAll{kA, kB, kC};
constexpr std::uint64_t kMembership = 7;

ReplicaState state(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return {kMembership, {{kA, Hlc{a}}, {kB, Hlc{b}}, {kC, Hlc{c}}}, {}};
}

std::map<RegionId, ReplicaState> three() {
  return {{kA, state(60, 51, 52)}, {kB, state(53, 61, 54)}, {kC, state(55, 56, 62)}};
}

TEST(StableHorizon, IsTheSmallestOverAllReplicasAndOrigins) {
  EXPECT_EQ(stable_horizon(kAll, kMembership, three()),
            (StableHorizon{Hlc{51}, Limit::applied, kA, kB}));
  auto told = three();
  told[kC].applied[kA] = Hlc{50};
  EXPECT_EQ(stable_horizon(kAll, kMembership, told),
            (StableHorizon{Hlc{50}, Limit::applied, kC, kA}));
}

TEST(StableHorizon, TheOwnNewestBarrierCounts) {
  auto told = three();
  told[kB].applied[kB] = Hlc{7};
  EXPECT_EQ(stable_horizon(kAll, kMembership, told).horizon, Hlc{7});
}

TEST(StableHorizon, ATableOfOneRegionWaitsForNobody) {
  auto found = stable_horizon({}, kMembership, {});
  EXPECT_EQ(found.horizon, kNoHorizonMax);
  EXPECT_EQ(found.limit, Limit::none);
}

TEST(StableHorizon, WhoHasToldNothingHoldsEverythingBack) {
  auto told = three();
  told.erase(kB);
  EXPECT_EQ(stable_horizon(kAll, kMembership, told), (StableHorizon{{}, Limit::unknown, kB, {}}));
  // Of those that told, nobody is spared.
  EXPECT_EQ(stable_horizon(kAll, kMembership, {}).horizon, Hlc{});
}

TEST(StableHorizon, AnOriginOfWhichAReplicaHasNothingHoldsEverythingBack) {
  auto told = three();
  told[kA].applied.erase(kC);
  EXPECT_EQ(stable_horizon(kAll, kMembership, told), (StableHorizon{{}, Limit::applied, kA, kC}));
}

// One that has just joined is known to some before it is to others; what those told does not count for
// its writes.
TEST(StableHorizon, WhatIsToldCountsForOneMembershipOnly) {
  auto told = three();
  told[kC].membership = 8;
  EXPECT_EQ(stable_horizon(kAll, kMembership, told), (StableHorizon{{}, Limit::members, kC, {}}));
  told[kC].membership = 0;  // of a release that does not say
  EXPECT_EQ(stable_horizon(kAll, kMembership, told).horizon, Hlc{});
}

TEST(StableHorizon, AReplicaThatIsBeingFilledHoldsEverythingBack) {
  auto told = three();
  told[kC] = {kMembership, {{kC, Hlc{99}}}, {}};  // it has reached nobody's barrier yet
  EXPECT_EQ(stable_horizon(kAll, kMembership, told).horizon, Hlc{});
}

TEST(StableHorizon, OneThatWasRemovedIsWaitedForNoMore) {
  auto told = three();
  told[kC] = state(1, 1, 1);  // silent since then
  EXPECT_EQ(stable_horizon(kAll, kMembership, told).horizon, Hlc{1});
  // What it told does not count, nor what others have of it.
  for (auto& [region, known] : told) known.membership = 8;
  EXPECT_EQ(stable_horizon({kA, kB}, 8, told), (StableHorizon{Hlc{51}, Limit::applied, kA, kB}));
}

TEST(StableHorizon, UnlessTheSurvivorsHaveNotTradedWhatTheyHoldOfIt) {
  std::map<RegionId, ReplicaState> told{{kA, state(60, 51, 12)}, {kB, state(53, 61, 10)}};
  told[kB].unsettled = {kC};
  EXPECT_EQ(stable_horizon({kA, kB}, kMembership, told),
            (StableHorizon{Hlc{10}, Limit::applied, kB, kC}));
  told[kA].unsettled = {kC};
  told[kB].unsettled.clear();
  EXPECT_EQ(stable_horizon({kA, kB}, kMembership, told).horizon, Hlc{12});
}

}  // namespace
}  // namespace meridian::conflict
