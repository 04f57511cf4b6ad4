// Scenarios of the conflict ledger (P13): what looks like a conflict and is none, and what is one.
//
// In each, what the regions list, merged, is compared with the history by the judge; the scenarios say
// besides how many losers there must be.
#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

class LedgerScenario : public ::testing::Test {
 protected:
  LedgerScenario() : world_(plain_shape(21, 3), nullptr) { world_.run_for(200); }

  const Write* put(std::size_t region) {
    const Write* write = world_.workload().write(region, 0, WriteKind::put);
    world_.run_for(100);
    EXPECT_EQ(write->state, WriteState::acknowledged);
    return write;
  }
  void cut(std::size_t from, std::size_t to, std::int64_t ms = 600'000) {
    world_.faults().cut(from, to, ms * 1000);
  }
  std::uint64_t listed(std::size_t region) {
    return world_.node(region).reader().ledger(world_.table_of(0)).entries;
  }
  void finish_with(std::size_t losers) {
    finish(world_);
    EXPECT_EQ(world_.losers(), losers);
  }

  World world_;
};

// 0 writes; 1 builds on it; 2 hears of the second first, and of the first, which is older, later.
TEST_F(LedgerScenario, AReorderingIsNoConflict) {
  cut(0, 2);
  put(0);
  put(1);
  world_.run_for(1'000);
  EXPECT_TRUE(image_at(world_, 2, 0).has_value());
  finish_with(0);
  for (std::size_t region = 0; region < 3; ++region) EXPECT_EQ(listed(region), 0U) << region;
}

// The same with one more in between: 2 builds on what 1 built on what 0 wrote, which 2 never saw.
TEST_F(LedgerScenario, ARelayIsNoConflict) {
  cut(0, 2);
  put(0);
  put(1);
  put(2);
  finish_with(0);
  for (std::size_t region = 0; region < 3; ++region) EXPECT_EQ(listed(region), 0U) << region;
}

// 1 builds on the first of three writes of 0, which has gone on meanwhile: one of the two last writes
// is lost, and of those that were built upon, none.
TEST_F(LedgerScenario, OfTwoBranchesOneLeafIsLost) {
  put(0);
  cut(1, 0);
  cut(0, 1);
  put(1);
  put(0);
  put(0);
  finish_with(1);
}

// 2 hears of both branches, in either order, and builds on the later: the other's last write is lost.
TEST_F(LedgerScenario, ABranchThatIsBuiltUponIsNotLost) {
  cut(0, 1);
  cut(1, 0);
  put(0);
  put(1);
  put(2);
  finish_with(1);
  EXPECT_GE(listed(0), 1U);
}

// A write that is beaten at home, listed, and then found to have been built upon elsewhere: it is no
// loser any more.
TEST_F(LedgerScenario, AnEntryIsWithdrawnWhenAChildComes) {
  cut(0, 2);
  cut(1, 0);
  cut(1, 2);
  cut(2, 1);
  put(0);
  put(2);  // unseen by it, and seen by region 0
  world_.run_for(500);
  EXPECT_EQ(listed(0), 1U);
  put(1);  // built on the first
  finish_with(1);
}

// Each region writes without having heard of the others: all but one are lost, deletes as well.
TEST_F(LedgerScenario, WritesInIsolationLoseButOne) {
  put(0);
  world_.run_for(1'000);
  for (std::size_t from = 0; from < 3; ++from)
    for (std::size_t to = 0; to < 3; ++to)
      if (from != to) cut(from, to);
  put(0);
  world_.workload().write(1, 0, WriteKind::remove);
  world_.run_for(100);
  put(2);
  finish_with(2);
}

// Conflicts, withdrawals and crashes between them: nothing is listed of a group that did not commit.
TEST_F(LedgerScenario, CrashesInAStormOfConflicts) {
  Shape shape = plain_shape(22, 3);
  shape.load.keys = 4;
  shape.load.bursts = 40;
  shape.faults.node_crashes = 30;
  shape.faults.partitions = 12;
  shape.faults.down_ms_max = 200;
  shape.faults.power_cuts = true;
  World world(shape, nullptr);
  world.storm();
  finish(world);
  EXPECT_GT(world.losers(), 20U);
}

}  // namespace
}  // namespace meridian::sim
