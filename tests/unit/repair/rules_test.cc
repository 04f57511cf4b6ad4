// The rule for one row, case by case.
#include <gtest/gtest.h>

#include "conflict/resolver.h"
#include "region-node/repair/rules.h"

namespace meridian::repair {
namespace {

const RegionId kA = RegionId::of("aa");
const RegionId kB = RegionId::of("bb");

rpc::RowHead item(std::uint64_t hlc, RegionId origin = kA, std::uint64_t hash = 7) {
  return {"k", {conflict::Hlc{hlc}, origin}, hash};
}
rpc::RowHead tombstone(std::uint64_t hlc) { return item(hlc, kA, conflict::kTombstoneHash); }

Facts facts(std::uint64_t of_a, std::uint64_t of_b, std::uint64_t collected) {
  rpc::ReplicaFacts known;
  known.watermarks = {{kA, conflict::Hlc{of_a}}, {kB, conflict::Hlc{of_b}}};
  known.collected = conflict::Hlc{collected};
  return facts_of(known, {kA, kB});
}

TEST(RepairRules, NewerVersionGoesToWhereTheOlderIs) {
  EXPECT_EQ(fate_of(item(5), facts(9, 9, 0), item(6), facts(9, 9, 0)), Fate::fetch);
  EXPECT_EQ(fate_of(item(6), facts(9, 9, 0), item(5), facts(9, 9, 0)), Fate::send);
  EXPECT_EQ(fate_of(item(6), facts(9, 9, 0), tombstone(7), facts(9, 9, 0)), Fate::fetch);
  EXPECT_EQ(fate_of(item(6), facts(9, 9, 0), item(6), facts(9, 9, 0)), Fate::same);
}

TEST(RepairRules, TheRegionBreaksATieAndTheImageAFork) {
  EXPECT_EQ(fate_of(item(5, kA), {}, item(5, kB), {}), Fate::fetch);
  EXPECT_EQ(fate_of(item(5, kA, 9), {}, item(5, kA, 8), {}), Fate::send);
}

TEST(RepairRules, AboveTheHorizonOfTheOtherSideItNeverKnew) {
  EXPECT_EQ(fate_of(item(5), facts(9, 9, 0), std::nullopt, facts(9, 9, 4)), Fate::send);
  EXPECT_EQ(fate_of(std::nullopt, facts(9, 9, 4), item(5), facts(9, 9, 0)), Fate::fetch);
  EXPECT_EQ(fate_of(tombstone(5), facts(9, 9, 0), std::nullopt, facts(9, 9, 4)), Fate::send);
}

TEST(RepairRules, WhoHasSeenAllThatWasCollectedStillHasWhatWasLost) {
  EXPECT_EQ(fate_of(item(5), facts(8, 8, 0), std::nullopt, facts(9, 9, 8)), Fate::send_lost);
  EXPECT_EQ(fate_of(std::nullopt, facts(9, 9, 8), item(5), facts(8, 8, 0)), Fate::fetch_lost);
}

TEST(RepairRules, WhatWasCollectedElsewhereIsDropped) {
  // V of the holder has not reached the horizon of the other side, which has seen the row.
  EXPECT_EQ(fate_of(item(5), facts(8, 7, 0), std::nullopt, facts(9, 9, 8)), Fate::drop_here);
  EXPECT_EQ(fate_of(std::nullopt, facts(9, 9, 8), item(5), facts(8, 7, 0)), Fate::drop_there);
}

TEST(RepairRules, WhatTheOtherSideWasNeverPromisedIsSent) {
  EXPECT_EQ(fate_of(item(5), facts(7, 7, 0), std::nullopt, facts(4, 9, 8)), Fate::send_lost);
}

TEST(RepairRules, TombstonesBelowEitherHorizonAreLeftAlone) {
  EXPECT_EQ(fate_of(tombstone(5), facts(9, 9, 0), std::nullopt, facts(9, 9, 5)), Fate::same);
  EXPECT_EQ(fate_of(tombstone(5), facts(9, 9, 5), std::nullopt, facts(9, 9, 0)), Fate::same);
  EXPECT_EQ(fate_of(std::nullopt, facts(9, 9, 0), tombstone(5), facts(9, 9, 6)), Fate::same);
}

TEST(RepairRules, AnOriginThatIsNotHeardOfHoldsTheLeastDown) {
  rpc::ReplicaFacts known;
  known.watermarks = {{kA, conflict::Hlc{9}}};
  EXPECT_EQ(facts_of(known, {kA}).least, conflict::Hlc{9});
  EXPECT_EQ(facts_of(known, {kA, kB}).least, conflict::Hlc{});
  rpc::ReplicaFacts other;
  other.watermarks = {{kB, conflict::Hlc{1}}};
  EXPECT_EQ(origins_of(known, other, {RegionId::of("cc")}),
            (std::set<RegionId>{kA, kB, RegionId::of("cc")}));
}

TEST(RepairRules, OneThatIsGoneHasNothingMoreToSay) {
  const RegionId gone = RegionId::of("gone");
  rpc::ReplicaFacts known;
  known.watermarks = {{kA, conflict::Hlc{9}}, {gone, conflict::Hlc{2}}};
  known.collected = conflict::Hlc{8};
  auto settled = facts_of(known, open_origins(known, {}, {kA}));
  EXPECT_EQ(settled.least, conflict::Hlc{9});
  // What it wrote after its last barrier has been seen, or nobody has it.
  EXPECT_EQ(settled.of(gone), conflict::Hlc{8});
  auto stale = facts(3, 3, 0);
  EXPECT_EQ(fate_of(item(5, gone), stale, std::nullopt, settled), Fate::drop_here);
  // As long as the two have not been compared, it counts for what is certain.
  rpc::ReplicaFacts other;
  other.unsettled = {gone};
  auto open = facts_of(known, open_origins(known, other, {kA}));
  EXPECT_EQ(open.least, conflict::Hlc{2});
  EXPECT_EQ(open.of(gone), conflict::Hlc{2});
  EXPECT_EQ(fate_of(item(5, gone), stale, std::nullopt, open), Fate::send_lost);
}

TEST(RepairRules, InFlightIsWhatTheTakerDoesNotClaim) {
  EXPECT_TRUE(in_flight(item(5), facts(4, 9, 0)));
  EXPECT_FALSE(in_flight(item(5), facts(5, 0, 0)));
}

}  // namespace
}  // namespace meridian::repair
