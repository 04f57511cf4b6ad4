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
  // The source leaves none out.
  void answer(const rpc::Barrier& made) {
    std::vector<TableId> asked;
    for (const auto& ends : made.tables) asked.push_back(ends.table);
    beats.on_barrier(made, asked);
  }
  // The sink takes nothing of what it is offered.
  void refuse(const RegionId& sink) {
    auto offered = beats.offer(sink);
    beats.on_reached(sink, offered, std::vector<std::vector<TableId>>(offered.size()));
  }
  void refuse_for_long(const RegionId& sink) {
    for (std::uint32_t i = 0; i < Heartbeats::kRefusalsMax; ++i) refuse(sink);
  }
  Heartbeats beats;
};

TEST_F(HeartbeatsTest, EveryTableWantsABarrierUntilItHasOneForEachSink) {
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1), table(2)));
  answer(barrier(10, {table(1), table(2)}));
  EXPECT_THAT(beats.wanted(), IsEmpty());
  EXPECT_THAT(beats.offer(kWest), ElementsAre(barrier(10, {table(1), table(2)})));
  EXPECT_THAT(beats.offer(kNorth), ElementsAre(barrier(10, {table(1)})));
  beats.on_reached(kNorth, {barrier(10, {table(1)})}, {{table(1)}});
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1)));
  EXPECT_THAT(beats.offer(kNorth), IsEmpty());
}

TEST_F(HeartbeatsTest, ABarrierThatIsNotReachedIsOfferedAgainAndNotReplaced) {
  answer(barrier(10, {table(1), table(2)}));
  auto offered = beats.offer(kWest);
  beats.on_reached(kWest, offered, {{table(2)}});
  answer(barrier(20, {table(1), table(2)}));
  EXPECT_THAT(beats.offer(kWest),
              UnorderedElementsAre(barrier(20, {table(2)}), barrier(10, {table(1)})));
  // A late answer to the first offer takes nothing of the second.
  beats.on_reached(kWest, offered, {{table(2)}});
  EXPECT_EQ(beats.offer(kWest).size(), 2U);
}

TEST_F(HeartbeatsTest, ABarrierThatIsRefusedForLongIsAskedForAgain) {
  answer(barrier(10, {table(1), table(2)}));
  for (std::uint32_t i = 1; i < Heartbeats::kRefusalsMax; ++i) refuse(kWest);
  EXPECT_THAT(beats.wanted(), IsEmpty());
  refuse(kWest);
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1), table(2)));
  // The log goes on from there, so it will be reached: it waits, however much is written.
  answer(barrier(20, {table(1), table(2)}));
  EXPECT_THAT(beats.offer(kWest), ElementsAre(barrier(10, {table(1), table(2)})));
  EXPECT_THAT(beats.wanted(), IsEmpty());
  refuse_for_long(kWest);
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1), table(2)));
}

TEST_F(HeartbeatsTest, ABarrierThatTheLogNoLongerGoesThroughIsReplaced) {
  answer(barrier(10, {table(1), table(2)}));
  refuse_for_long(kWest);
  beats.wanted();
  rpc::Barrier renewed = barrier(20, {table(1), table(2)});
  renewed.tables[1].ends = {{StartId(7), Sequence(9)}};  // the same records under another name
  answer(renewed);
  rpc::Barrier second{StartId(1), Hlc{20}, {renewed.tables[1]}};
  EXPECT_THAT(beats.offer(kWest), UnorderedElementsAre(barrier(10, {table(1)}), second));
  // A late answer to the first offer takes nothing of the second.
  beats.on_reached(kWest, {barrier(10, {table(2)})}, {{table(2)}});
  EXPECT_EQ(beats.offer(kWest).size(), 2U);
  beats.on_reached(kWest, {second}, {{table(2)}});
  EXPECT_THAT(beats.wanted(), ElementsAre(table(2)));
}

TEST_F(HeartbeatsTest, OneShardOfARenewedLogIsEnough) {
  rpc::Barrier first = barrier(10, {table(2)});
  first.tables[0].ends.push_back({});
  answer(first);
  rpc::Barrier later = barrier(20, {table(2)});
  later.tables[0].ends.push_back({});
  answer(later);
  EXPECT_THAT(beats.offer(kWest), ElementsAre(first));
  later.tables[0].ends[0].start = StartId(7);
  answer(later);
  EXPECT_THAT(beats.offer(kWest), ElementsAre(later));
}

// It has lost some of its past, and what waits was taken before it knew.
TEST_F(HeartbeatsTest, ATableThatTheSourceLeavesOutWaitsNoMore) {
  answer(barrier(10, {table(1), table(2)}));
  beats.on_barrier(barrier(20, {table(2)}), {table(1), table(2)});
  EXPECT_THAT(beats.offer(kWest), ElementsAre(barrier(10, {table(2)})));
  EXPECT_THAT(beats.offer(kNorth), IsEmpty());
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1)));
}

TEST_F(HeartbeatsTest, ARestartOfTheSourceForgetsWhatWaits) {
  answer(barrier(10, {table(1), table(2)}));
  beats.source_started(StartId(2));
  EXPECT_THAT(beats.offer(kWest), IsEmpty());
  EXPECT_THAT(beats.wanted(), ElementsAre(table(1), table(2)));
  answer(barrier(11, {table(1)}, StartId(1)));  // on its way when the source died
  EXPECT_THAT(beats.offer(kWest), IsEmpty());
}

TEST_F(HeartbeatsTest, ATableThatIsNoLongerReplicatedIsForgotten) {
  answer(barrier(10, {table(1), table(2)}));
  beats.follow({{table(1), {kNorth}}});
  EXPECT_THAT(beats.offer(kWest), IsEmpty());
  EXPECT_THAT(beats.offer(kNorth), ElementsAre(barrier(10, {table(1)})));
  answer(barrier(11, {table(2)}));
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
    answer(barrier(round, wanted));
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
