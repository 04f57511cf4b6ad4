// Heartbeats: what is taken, carried, and kept until a sink has reached it.
#include "replicator/core/heartbeats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::replicator {
namespace {

using conflict::Hlc;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const RegionId kWest = RegionId::of("us-west-2");
const RegionId kNorth = RegionId::of("eu-north-1");

TableId table(std::uint64_t number) { return {0, number}; }

rpc::Barrier barrier(std::uint64_t time, const std::vector<TableId>& tables,
                     StartId start = StartId(1)) {
  rpc::Barrier out{start, Hlc{time}, {}};
  for (const auto& id : tables) out.tables.push_back({id, {{start, Sequence(time)}}});
  return out;
}

class HeartbeatsTest : public ::testing::Test {
 protected:
  HeartbeatsTest() {
    beats.source_started(StartId(1));
    beats.follow({{table(1), {kWest, kNorth}}, {table(2), {kWest}}});
  }
  Heartbeats beats;
};

TEST_F(HeartbeatsTest, EveryTableWantsABarrierUntilItHasOneForEachSink) {
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1), table(2)));
  beats.on_barrier(barrier(10, {table(1), table(2)}));
  EXPECT_THAT(beats.wanted(), IsEmpty());
  EXPECT_THAT(beats.offer(kWest), ElementsAre(barrier(10, {table(1), table(2)})));
  EXPECT_THAT(beats.offer(kNorth), ElementsAre(barrier(10, {table(1)})));
  beats.on_reached(kNorth, {barrier(10, {table(1)})}, {{table(1)}});
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1)));
  EXPECT_THAT(beats.offer(kNorth), IsEmpty());
}

TEST_F(HeartbeatsTest, ABarrierThatIsNotReachedIsOfferedAgainAndNotReplaced) {
  beats.on_barrier(barrier(10, {table(1), table(2)}));
  auto offered = beats.offer(kWest);
  beats.on_reached(kWest, offered, {{table(2)}});
  beats.on_barrier(barrier(20, {table(1), table(2)}));
  EXPECT_THAT(beats.offer(kWest),
              UnorderedElementsAre(barrier(20, {table(2)}), barrier(10, {table(1)})));
  // A late answer to the first offer takes nothing of the second.
  beats.on_reached(kWest, offered, {{table(2)}});
  EXPECT_EQ(beats.offer(kWest).size(), 2U);
}

TEST_F(HeartbeatsTest, ARestartOfTheSourceForgetsWhatWaits) {
  beats.on_barrier(barrier(10, {table(1), table(2)}));
  beats.source_started(StartId(2));
  EXPECT_THAT(beats.offer(kWest), IsEmpty());
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1), table(2)));
  beats.on_barrier(barrier(11, {table(1)}, StartId(1)));  // on its way when the source died
  EXPECT_THAT(beats.offer(kWest), IsEmpty());
}

TEST_F(HeartbeatsTest, ATableThatIsNoLongerReplicatedIsForgotten) {
  beats.on_barrier(barrier(10, {table(1), table(2)}));
  beats.follow({{table(1), {kNorth}}});
  EXPECT_THAT(beats.offer(kWest), IsEmpty());
  EXPECT_THAT(beats.offer(kNorth), ElementsAre(barrier(10, {table(1)})));
  beats.on_barrier(barrier(11, {table(2)}));
  EXPECT_THAT(beats.offer(kWest), IsEmpty());
}

TEST_F(HeartbeatsTest, ManyTablesTakeTurns) {
  std::map<TableId, std::set<RegionId>> many;
  for (std::uint64_t i = 0; i < 600; ++i) many[table(i)] = {kWest};
  beats.follow(many);
  std::set<TableId> asked;
  std::set<TableId> offered;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    auto wanted = beats.wanted();
    EXPECT_LE(wanted.size(), rpc::kBarrierTablesMax);
    asked.insert(wanted.begin(), wanted.end());
    beats.on_barrier(barrier(round, wanted));
  }
  EXPECT_EQ(asked.size(), 600U);
  for (int round = 0; round < 3; ++round) {
    std::size_t tables = 0;
    for (const auto& one : beats.offer(kWest)) {
      tables += one.tables.size();
      for (const auto& ends : one.tables) offered.insert(ends.table);
    }
    EXPECT_LE(tables, rpc::kBarrierTablesMax);
  }
  EXPECT_EQ(offered.size(), 600U);
}

}  // namespace
}  // namespace meridian::replicator
