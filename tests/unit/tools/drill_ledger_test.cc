// The figures of a drill's report, from its ledger alone.
#include <gtest/gtest.h>

#include "tools/meridian/drill/ledger.h"

namespace meridian::drill {
namespace {

Write acked(const std::string& key, const std::string& region, std::int64_t at_us) {
  Write out;
  out.key = key;
  out.value = "value of " + key;
  out.home = "a";
  out.region = region;
  out.acked_us = at_us;
  return out;
}

Holdings holding(const std::vector<Write>& writes) {
  Holdings out;
  for (const auto& write : writes) out[write.key] = write.value;
  return out;
}

TEST(DrillLedger, WhatTheSurvivorLacksIsTheRpo) {
  auto there = acked("1", "a", 1000);
  auto oldest_missing = acked("2", "a", 2000);
  auto newest_missing = acked("3", "a", 5000);
  auto after_the_cut = acked("4", "a", 9000);
  auto elsewhere = acked("5", "b", 3000);
  auto loss = loss_at({there, oldest_missing, newest_missing, after_the_cut, elsewhere}, "a", 6000,
                      holding({there}));
  ASSERT_EQ(loss.writes.size(), 2u);
  EXPECT_EQ(loss.writes[0].key, "2");
  EXPECT_EQ(loss.writes[1].key, "3");
  EXPECT_EQ(loss.age_us, 3000);
}

TEST(DrillLedger, NothingMissingIsAnRpoOfNothing) {
  auto there = acked("1", "a", 1000);
  auto loss = loss_at({there}, "a", 6000, holding({there}));
  EXPECT_TRUE(loss.writes.empty());
  EXPECT_EQ(loss.age_us, 0);
}

TEST(DrillLedger, AWriteThatOneRegionLacksIsLostThoughAnotherHasIt) {
  auto one = acked("1", "a", 1000);
  auto other = acked("2", "a", 2000);
  auto outcome = outcome_of({one, other}, {holding({one, other}), holding({other})});
  ASSERT_EQ(outcome.lost.size(), 1u);
  EXPECT_EQ(outcome.lost[0].key, "1");
  ASSERT_EQ(outcome.late.size(), 1u);
  EXPECT_EQ(outcome.late[0].key, "2");
}

TEST(DrillLedger, OnlyASharedKeyCanBeBeaten) {
  auto shared = acked("k", "a", 1000);
  shared.shared = true;
  auto later = acked("k", "b", 2000);
  later.value = "later";
  EXPECT_EQ(fate_of(shared, holding({later})), Fate::beaten);
  shared.shared = false;
  EXPECT_EQ(fate_of(shared, holding({later})), Fate::missing);
}

TEST(DrillLedger, AWriteThatWasNeverAcknowledgedCannotBeLost) {
  auto unknown = acked("1", "", 0);
  auto outcome = outcome_of({unknown}, {Holdings{}});
  EXPECT_TRUE(outcome.lost.empty());
}

TEST(DrillLedger, TheLongestOutageCountsItsEnds) {
  EXPECT_EQ(longest_outage_us({acked("1", "a", 3000), acked("2", "b", 4000)}, "a", 1000, 9000),
            5000);
  EXPECT_EQ(longest_outage_us({}, "a", 1000, 9000), 8000);
}

TEST(DrillLedger, ServiceIsBackWithTheFirstWriteElsewhere) {
  auto found = first_elsewhere_us(
      {acked("1", "a", 3000), acked("2", "b", 5000), acked("3", "b", 4000)}, "a", 2000);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(*found, 4000);
}

}  // namespace
}  // namespace meridian::drill
