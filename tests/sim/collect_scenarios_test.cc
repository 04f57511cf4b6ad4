// When tombstones may go, and what must not come back after they have.
#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

constexpr std::int64_t kLongUs = 3600 * kSecondUs;

Shape forgetting(std::uint64_t seed, std::size_t regions) {
  Shape shape = plain_shape(seed, regions);
  shape.tombstone_retention_ms = 0;
  return shape;
}

Shape quiet(std::uint64_t seed) {
  Shape shape = forgetting(seed, 3);
  shape.load.clients = 0;
  shape.load.bursts = 0;
  return shape;
}

std::uint64_t tombstones(World& world, std::size_t region) {
  return world.node(region).reader().stats(world.table_of(0)).tombstones;
}

std::uint64_t collected(World& world) {
  std::uint64_t sum = 0;
  for (std::size_t region = 0; region < world.regions(); ++region)
    sum += world.collector(region).collected();
  return sum;
}

// A's link to C is cut, and k waits for it; B deletes k.  All three hold the tombstone then.
TEST(Collect, WhatWaitsOnACutLinkIsWaitedFor) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    World world(quiet(seed), nullptr);
    world.run_for(2'000);
    world.faults().cut(0, 2, kLongUs);
    world.workload().write(0, 0, WriteKind::put);
    world.run_for(1'000);
    ASSERT_TRUE(image_at(world, 1, 0).has_value()) << seed;
    world.workload().write(1, 0, WriteKind::remove);
    world.run_for(8'000);
    for (std::size_t region = 0; region < 3; ++region) {
      EXPECT_EQ(tombstones(world, region), 1U) << seed;
      EXPECT_FALSE(image_at(world, region, 0).has_value()) << seed;
    }
    EXPECT_EQ(collected(world), 0U) << seed;
    world.calm();
    world.run_for(6'000);
    for (std::size_t region = 0; region < 3; ++region) {
      EXPECT_EQ(tombstones(world, region), 0U) << seed;
      EXPECT_FALSE(image_at(world, region, 0).has_value()) << seed;
    }
    world.judge();
    EXPECT_TRUE(passed(world.findings())) << seed;
  }
}

TEST(Collect, ARegionThatIsDownStallsItUntilItIsBack) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    World world(quiet(seed), nullptr);
    world.workload().write(0, 0, WriteKind::put);
    world.run_for(3'000);
    world.node(2).crash(SimNode::Crash::plain);
    world.workload().write(1, 0, WriteKind::remove);
    world.run_for(8'000);
    EXPECT_EQ(tombstones(world, 0), 1U) << seed;
    EXPECT_EQ(tombstones(world, 1), 1U) << seed;
    world.faults().start_node(2);
    world.run_for(8'000);
    EXPECT_EQ(collected(world), 3U) << seed;
    finish(world);
  }
}

// A key that is gone without a trace is written again where that is known last: neither is it older than
// what was collected, nor a conflict.
TEST(Collect, AKeyIsWrittenAgainAndAgain) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    World world(quiet(seed), nullptr);
    for (std::size_t round = 0; round < 4; ++round) {
      for (std::uint32_t key = 0; key < 6; ++key) {
        world.workload().write(round % 3, key, WriteKind::insert);
        world.run_for(200);
        world.workload().write((round + 1) % 3, key, WriteKind::remove);
      }
      world.run_for(6'000);
      for (std::size_t region = 0; region < 3; ++region)
        EXPECT_EQ(tombstones(world, region), 0U) << seed;
    }
    finish(world);
    EXPECT_EQ(world.losers(), 0U) << seed;
  }
}

// S11: tombstones are kept no longer than they must, and a peer lags by seconds, or is away.
TEST(Collect, WithALaggingPeerUnderLoad) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Shape shape = forgetting(seed, 3);
    shape.storm_ms = 12'000;
    shape.load = {.keys = 20, .clients = 2, .think_us_max = 30'000, .bursts = 10,
                  .remove_percent = 40};
    shape.faults.node_crashes = 2;
    shape.faults.partitions = 3;
    shape.faults.down_ms_max = 800;
    for (std::size_t from = 0; from < 2; ++from) {
      shape.link(from, 2).delay_us = 1'500'000;
      shape.link(from, 2).jitter_us = 500'000;
      shape.link(from, 2).duplicate_percent = 20;
    }
    World world(shape, nullptr);
    world.storm();
    finish(world);
    EXPECT_GT(collected(world), 0U) << seed;
  }
}

}  // namespace
}  // namespace meridian::sim
