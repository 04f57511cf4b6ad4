#include "rpc/faults/plan.h"

#include <gtest/gtest.h>

namespace meridian::rpc {
namespace {

constexpr std::int64_t kMs = 1000;
constexpr std::int64_t kSecond = 1'000'000;
using Kind = Lane::Next::Kind;

Fault cut(std::int64_t for_ms) { return {FaultKind::cut, for_ms, 0, 0, 0}; }
Fault delay(std::int64_t delay_ms, std::int64_t jitter_ms = 0) {
  return {FaultKind::delay, 3'600'000, delay_ms, jitter_ms, 0};
}
Fault limit(std::int64_t bytes_per_second) {
  return {FaultKind::limit, 3'600'000, 0, 0, bytes_per_second};
}

Fault lose(std::int64_t permille) { return {FaultKind::lose, 3'600'000, 0, 0, 0, permille}; }

TEST(FaultTest, EveryFaultHasAnEnd) {
  EXPECT_EQ(problem_of(cut(1)), "");
  EXPECT_EQ(problem_of(cut(kFaultMsMax)), "");
  EXPECT_NE(problem_of(cut(0)), "");
  EXPECT_NE(problem_of(cut(-1)), "");
  EXPECT_NE(problem_of(cut(kFaultMsMax + 1)), "");
  EXPECT_EQ(problem_of(delay(80, 80)), "");
  EXPECT_NE(problem_of(delay(0)), "");
  EXPECT_NE(problem_of(delay(80, 81)), "");
  EXPECT_NE(problem_of(delay(kDelayMsMax + 1)), "");
  EXPECT_EQ(problem_of(lose(1)), "");
  EXPECT_EQ(problem_of(lose(kLostPermilleMax)), "");
  EXPECT_NE(problem_of(lose(0)), "");
  EXPECT_NE(problem_of(lose(kLostPermilleMax + 1)), "");
  EXPECT_EQ(problem_of(limit(kBytesPerSecondMin)), "");
  EXPECT_NE(problem_of(limit(kBytesPerSecondMin - 1)), "");
  EXPECT_NE(problem_of(limit(kBytesPerSecondMax + 1)), "");
}

TEST(FaultTest, KindsHaveNames) {
  for (auto kind : kFaultKinds) EXPECT_EQ(parse_fault_kind(fault_kind_name(kind)), kind);
  EXPECT_FALSE(parse_fault_kind("heal"));
}

TEST(FaultPlanTest, FaultsEndByThemselvesEachInItsTime) {
  FaultPlan plan;
  EXPECT_FALSE(plan.next_end_us());
  plan.put(cut(3000), 10 * kSecond);
  plan.put(delay(80), 10 * kSecond);
  plan.put({FaultKind::pause, 1000, 0, 0, 0}, 10 * kSecond);
  EXPECT_EQ(plan.next_end_us(), 11 * kSecond);
  EXPECT_TRUE(plan.expire(11 * kSecond - 1).empty());
  EXPECT_TRUE(plan.paused());
  EXPECT_EQ(plan.expire(11 * kSecond).size(), 1u);
  EXPECT_FALSE(plan.paused());
  EXPECT_TRUE(plan.cut());
  EXPECT_EQ(plan.expire(13 * kSecond), std::vector<Fault>{cut(3000)});
  EXPECT_TRUE(plan.shapes_bytes()) << "the delay goes on";
  EXPECT_EQ(plan.expire(10'000 * kSecond), std::vector<Fault>{delay(80)});
  EXPECT_TRUE(plan.active().empty());
}

TEST(FaultPlanTest, ANewFaultTakesThePlaceOfOneOfItsKind) {
  FaultPlan plan;
  plan.put(cut(60'000), 0);
  plan.put(cut(1000), kSecond);
  EXPECT_EQ(plan.active().size(), 1u);
  EXPECT_EQ(plan.next_end_us(), 2 * kSecond);
}

TEST(FaultPlanTest, HealingEndsAllOfThem) {
  FaultPlan plan;
  plan.put(cut(60'000), 0);
  plan.put(limit(5000), 0);
  EXPECT_EQ(plan.heal().size(), 2u);
  EXPECT_FALSE(plan.shapes_bytes());
  EXPECT_TRUE(plan.heal().empty());
}

TEST(FaultPlanTest, APauseLeavesBytesAlone) {
  FaultPlan plan;
  plan.put({FaultKind::pause, 1000, 0, 0, 0}, 0);
  EXPECT_FALSE(plan.shapes_bytes());
  Lane lane;
  Rng rng(1);
  lane.push(10, 0, rng);
  EXPECT_EQ(lane.next(plan, {}, 0).kind, Kind::go);
}

TEST(LaneTest, WithoutAFaultBytesLeaveAtOnce) {
  Lane lane;
  Rng rng(1);
  lane.push(100, 5, rng);
  lane.push(0, 5, rng);
  auto next = lane.next({}, {}, 5);
  EXPECT_EQ(next.kind, Kind::go);
  EXPECT_EQ(next.bytes, 100u);
  lane.pop(60);
  EXPECT_EQ(lane.bytes(), 40u);
  EXPECT_EQ(lane.next({}, {}, 5).bytes, 40u);
  lane.pop(40);
  EXPECT_FALSE(lane.empty()) << "the mark is left";
  EXPECT_EQ(lane.next({}, {}, 5).bytes, 0u);
  lane.pop(0);
  EXPECT_TRUE(lane.empty());
}

TEST(LaneTest, NothingLeavesDuringACut) {
  FaultPlan plan;
  plan.put(cut(1000), 0);
  Lane lane;
  Rng rng(1);
  lane.push(100, 0, rng);
  EXPECT_EQ(lane.next(plan, {}, 0).kind, Kind::wait_for_change);
  EXPECT_EQ(lane.next(plan, {}, 999 * kMs).kind, Kind::wait_for_change);
  plan.expire(1000 * kMs);
  EXPECT_EQ(lane.next(plan, {}, 1000 * kMs).kind, Kind::go);
}

TEST(LaneTest, ADelayIsCountedFromTheEntryOfEachPiece) {
  FaultPlan plan;
  plan.put(delay(80), 0);
  Lane lane;
  Rng rng(1);
  lane.push(10, 0, rng);
  lane.push(10, 5 * kMs, rng);
  auto next = lane.next(plan, {}, 79 * kMs);
  EXPECT_EQ(next.kind, Kind::wait_until);
  EXPECT_EQ(next.at_us, 80 * kMs);
  EXPECT_EQ(lane.next(plan, {}, 80 * kMs).kind, Kind::go);
  lane.pop(10);
  EXPECT_EQ(lane.next(plan, {}, 80 * kMs).at_us, 85 * kMs);
  plan.heal();
  EXPECT_EQ(lane.next(plan, {}, 80 * kMs).kind, Kind::go) << "what waits goes when it is over";
}

TEST(LaneTest, JitterKeepsTheOrderAndItsBounds) {
  FaultPlan plan;
  plan.put(delay(100, 50), 0);
  Lane lane;
  Rng rng(7);
  std::int64_t now_us = 0;
  for (int i = 0; i < 200; ++i) lane.push(1, i * kMs, rng);
  std::int64_t least = kSecond, most = 0;
  for (int i = 0; i < 200; ++i) {
    auto next = lane.next(plan, {}, now_us);
    if (next.kind == Kind::wait_until) now_us = next.at_us;
    ASSERT_EQ(lane.next(plan, {}, now_us).kind, Kind::go);
    auto took_us = now_us - i * kMs;
    least = std::min(least, took_us);
    most = std::max(most, took_us);
    lane.pop(1);
  }
  EXPECT_GE(least, 50 * kMs);
  EXPECT_LE(most, 150 * kMs);
  EXPECT_GT(most - least, 10 * kMs) << "it varies";
}

TEST(LossTest, ALostSegmentIsSentAgainEachTimeLater) {
  EXPECT_EQ(retransmission_us(0, 500, 0), 0) << "a mark is nothing that can be lost";
  EXPECT_EQ(retransmission_us(100, 100, 0.1), 0);
  EXPECT_EQ(retransmission_us(100, 100, 0.0999), 200 * kMs);
  EXPECT_EQ(retransmission_us(100, 100, 0.0099), 600 * kMs) << "and lost again";
  EXPECT_EQ(retransmission_us(100, 500, 0), 12'600 * kMs) << "not without end";
}

TEST(LossTest, TheMoreSegmentsTheMoreLikelyOneOfThemIsLost) {
  EXPECT_EQ(retransmission_us(1460, 10, 0.0101), 0);
  EXPECT_EQ(retransmission_us(1461, 10, 0.0101), 200 * kMs);
  EXPECT_EQ(retransmission_us(1'460'000, 10, 0.9999), 200 * kMs);
}

TEST(LossTest, ItsShareOfPiecesWaits) {
  FaultPlan plan;
  plan.put(lose(100), 0);
  Rng rng(3);
  int waited = 0;
  for (int i = 0; i < 10'000; ++i) {
    Lane lane;
    lane.push(100, 0, rng);
    waited += lane.next(plan, {}, 0).kind == Kind::wait_until ? 1 : 0;
  }
  EXPECT_NEAR(waited, 1000, 100);
}

TEST(LossTest, WhatIsBehindALostSegmentWaitsForIt) {
  FaultPlan plan;
  plan.put(lose(500), 0);
  Rng rng(1);
  Lane lane;
  std::int64_t lost = 0;
  while (lane.empty() || lost == 0) {  // until a piece is lost
    lane = Lane();
    lane.push(10, 0, rng);
    auto next = lane.next(plan, {}, 0);
    lost = next.kind == Kind::wait_until ? next.at_us : 0;
  }
  lane.push(10, 0, rng);
  EXPECT_EQ(lane.next(plan, {}, lost - 1).kind, Kind::wait_until);
  EXPECT_EQ(lane.next(plan, {}, lost).kind, Kind::go);
  plan.heal();
  EXPECT_EQ(lane.next(plan, {}, 0).kind, Kind::go) << "what waits goes when it is over";
}

TEST(LaneTest, ALimitSpendsItsRateOverAllLanes) {
  FaultPlan plan;
  plan.put(limit(100'000), 0);
  TokenBucket bucket;
  Rng rng(1);
  Lane lanes[2];
  for (auto& lane : lanes) lane.push(500'000, 0, rng);
  std::int64_t now_us = 0;
  std::size_t left = 0;
  for (int turn = 0; !lanes[0].empty() || !lanes[1].empty(); ++turn) {
    auto& lane = lanes[turn % 2].empty() ? lanes[(turn + 1) % 2] : lanes[turn % 2];
    auto next = lane.next(plan, bucket, now_us);
    if (next.kind == Kind::wait_until) {
      now_us = next.at_us;
      next = lane.next(plan, bucket, now_us);
    }
    ASSERT_EQ(next.kind, Kind::go);
    ASSERT_LE(next.bytes, 5000u) << "in small steps";
    bucket.take(next.bytes, 100'000, now_us);
    lane.pop(next.bytes);
    left += next.bytes;
  }
  EXPECT_EQ(left, 1'000'000u);
  EXPECT_NEAR(static_cast<double>(now_us), 10.0 * kSecond, 0.1 * kSecond);
}

TEST(LaneTest, AnIdleLinkSavesNothingUp) {
  TokenBucket bucket;
  bucket.take(1000, 1000, 0);
  EXPECT_EQ(bucket.free_us(), kSecond);
  bucket.take(1000, 1000, 100 * kSecond);
  EXPECT_EQ(bucket.free_us(), 101 * kSecond);
}

}  // namespace
}  // namespace meridian::rpc
