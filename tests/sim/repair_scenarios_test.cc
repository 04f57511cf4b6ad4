// Runs after which flows alone cannot bring the regions together: logs trimmed during an outage, data
// directories restored from a copy or lost.
#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

// Logs that are trimmed as soon as everybody for whom they are kept has them.
Shape short_logs(std::uint64_t seed, std::size_t regions) {
  Shape shape = plain_shape(seed, regions);
  shape.retention_ms = 300;
  shape.load = {.keys = 60, .clients = 2, .think_us_max = 20'000, .bursts = 5,
                .remove_percent = 30};
  return shape;
}

void isolate(World& world, std::size_t region, std::int64_t for_us) {
  for (std::size_t other = 0; other < world.regions(); ++other) {
    if (other == region) continue;
    world.faults().cut(region, other, for_us);
    world.faults().cut(other, region, for_us);
  }
}

std::uint64_t repairs(World& world) {
  std::uint64_t sum = 0;
  for (std::size_t region = 0; region < world.regions(); ++region)
    sum += world.repairer(region).repairs();
  return sum;
}

// Version by key.
std::map<Bytes, conflict::Version> held(World& world, std::size_t region) {
  std::map<Bytes, conflict::Version> out;
  for (const auto& row : world.rows(region)) out[row.key] = row.version;
  return out;
}

// S7: a region is away for longer than the others' logs may hold.  All go on taking writes; it is cut
// loose, the logs are trimmed, and afterwards all hold the same, with nobody's help.
TEST(RepairScenario, AnOutagePastTheLogBound) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Shape shape = short_logs(seed, 3);
    shape.unacknowledged_bytes_max = 2'000;
    World world(shape, nullptr);
    isolate(world, 2, 60 * kSecondUs);
    world.storm();
    for (std::size_t region = 0; region < 3; ++region)
      EXPECT_GT(world.node(region).store().health().peers_cut_loose, 0U) << seed;
    EXPECT_EQ(world.history().count(WriteState::refused), 0U);
    finish(world);
    EXPECT_GT(repairs(world), 0U);
  }
}

// The same while clients go on: the repair races with writes, crashes and a bad network.
TEST(RepairScenario, ARepairAmongWritesAndCrashes) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Shape shape = short_logs(seed, 3);
    shape.unacknowledged_bytes_max = 2'000;
    shape.storm_ms = 9'000;
    for (auto& link : shape.links) {
      link.loss_percent = 5;
      link.duplicate_percent = 10;
      link.reorder_percent = 20;
    }
    shape.faults.node_crashes = 6;
    shape.faults.replicator_crashes = 3;
    shape.faults.down_ms_max = 400;
    World world(shape, nullptr);
    isolate(world, 2, 3 * kSecondUs);
    world.storm();
    finish(world);
    EXPECT_GT(repairs(world), 0U) << seed;
  }
}

// S2: a region dies after its last writes and deletes have reached one survivor.  Flows carry only what
// was written at their source, so the survivors must trade what they hold of it; and do, unasked.
TEST(RepairScenario, SurvivorsTradeWhatTheyHoldOfADeadRegion) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Shape shape = plain_shape(seed, 3);
    shape.load.keys = 40;
    shape.survivors_after_ms = 800;
    World world(shape, nullptr);
    world.storm();
    world.run_for(3'000);
    world.faults().cut(1, 2, 600 * kSecondUs);
    for (std::uint32_t key = 0; key < 20; ++key) {
      world.workload().write(1, key, key % 3 == 0 ? WriteKind::remove : WriteKind::put);
      world.run_for(20);
    }
    world.run_for(2'000);
    EXPECT_NE(held(world, 0), held(world, 2)) << seed;
    world.node(1).crash(SimNode::Crash::plain);
    world.run_for(12'000);
    EXPECT_EQ(held(world, 0), held(world, 2)) << seed;
    EXPECT_GT(repairs(world), 0U) << seed;
    finish(world);
  }
}

// A region comes back as it was a while ago, and its peers hold what it has forgotten: it is told, and
// what it wrote then goes on being there.
TEST(RepairScenario, AnOldCopyIsRestored) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Shape shape = plain_shape(seed, 3);
    shape.load.keys = 60;
    if (seed % 2 == 0) shape.retention_ms = 300;  // with the peers' logs gone, too
    World world(shape, nullptr);
    world.run_for(300);
    world.faults().copy_store(1);
    world.storm();
    world.faults().restore_store(1, 2 * kSecondUs);
    world.run_for(4'000);
    // It writes again.
    const Write* write = world.workload().write(1, 7, WriteKind::put);
    world.run_for(2'000);
    ASSERT_NE(write, nullptr);
    EXPECT_EQ(write->state, WriteState::acknowledged) << seed;
    finish(world);
    EXPECT_GT(repairs(world), 0U) << seed;
  }
}

// Its log goes under another name from then on.  Only one shard of it has lost anything, and nobody writes
// to the others again: what it and its peers say of each other must move on all the same.
TEST(RepairScenario, WatermarksMoveOnAfterALogWasRenewed) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Shape shape = plain_shape(seed, 3);
    shape.load.keys = 60;
    shape.regions[1].shards = 8;
    World world(shape, nullptr);
    world.storm();
    world.run_for(2'000);
    world.faults().copy_store(1);
    world.workload().write(1, 7, WriteKind::put);
    world.run_for(2'000);
    // Barriers of the run after the copy wait before anybody can tell it what it has lost.
    isolate(world, 1, 3 * kSecondUs);
    world.faults().restore_store(1, 200'000);
    world.run_for(6'000);
    finish(world);
    EXPECT_GT(repairs(world), 0U) << seed;
  }
}

// What it wrote after the copy has reached one of the others only, and not the first with whom it is
// repaired.
TEST(RepairScenario, AnOldCopyIsRestoredAndOnePeerHasMoreOfIt) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    for (std::size_t behind : {0U, 2U}) {
      Shape shape = plain_shape(seed, 3);
      shape.load.clients = 0;
      shape.load.bursts = 0;
      shape.load.keys = 40;
      World world(shape, nullptr);
      for (std::uint32_t key = 0; key < 20; ++key)
        world.workload().write(1, key, WriteKind::put);
      world.run_for(2'000);
      world.faults().copy_store(1);
      world.workload().write(1, 1, WriteKind::put);  // both have this one
      world.run_for(1'000);
      world.faults().cut(1, behind, 2 * kSecondUs);
      for (std::uint32_t key = 0; key < 10; ++key)
        world.workload().write(1, key, key % 3 == 0 ? WriteKind::remove : WriteKind::put);
      world.run_for(1'000);
      world.faults().restore_store(1, 200'000);
      world.run_for(6'000);
      finish(world);
      EXPECT_GT(repairs(world), 0U) << seed;
    }
  }
}

// One that has written nothing since the copy has no log that anybody could find lost.  What its peers had
// shipped to it comes again by their flows, also of shards that nobody writes to any more.
TEST(RepairScenario, AnOldCopyIsRestoredOfOneThatOnlyRead) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Shape shape = plain_shape(seed, 3);
    shape.load.clients = 0;
    shape.load.bursts = 0;
    shape.load.keys = 40;
    shape.regions[0].shards = 4;
    World world(shape, nullptr);
    world.run_for(1'000);
    world.faults().copy_store(1);
    for (std::uint32_t key = 0; key < 20; ++key) world.workload().write(0, key, WriteKind::put);
    world.run_for(3'000);
    world.faults().restore_store(1, 200'000);
    world.run_for(1'000);
    finish(world);
  }
}

// Its peer's log has been trimmed past where it stands then, and what is left was written by another start
// of the peer: that has lost nothing, and goes on writing.
TEST(RepairScenario, AnOldCopyStandsInARunThatIsTrimmedAway) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Shape shape = plain_shape(seed, 3);
    shape.load.clients = 0;
    shape.load.bursts = 0;
    shape.load.keys = 40;
    shape.retention_ms = 300;
    World world(shape, nullptr);
    auto write_all = [&world] {
      for (std::uint32_t key = 0; key < 20; ++key) world.workload().write(0, key, WriteKind::put);
      world.run_for(2'000);
    };
    write_all();
    world.faults().copy_store(1);
    write_all();
    world.faults().crash_node(0, SimNode::Crash::plain, 100'000);
    world.run_for(1'000);
    write_all();
    world.faults().restore_store(1, 200'000);
    for (int i = 0; i < 20; ++i) {
      const Write* write = world.workload().write(0, 7, WriteKind::put);
      world.run_for(100);
      ASSERT_NE(write, nullptr);
      EXPECT_EQ(write->state, WriteState::acknowledged) << seed;
    }
    finish(world);
    EXPECT_GT(repairs(world), 0U) << seed;
  }
}

// The same under load: others write, delete and crash while it is told.
TEST(RepairScenario, AnOldCopyIsRestoredUnderLoad) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Shape shape = short_logs(seed, 3);
    shape.storm_ms = 5'000;
    World world(shape, nullptr);
    world.run_for(300);
    world.faults().copy_store(1);
    world.run_for(200);
    isolate(world, 1, 1'500'000);
    world.storm();
    world.faults().restore_store(1, 2 * kSecondUs);
    for (int i = 0; i < 200; ++i) {
      for (std::size_t region : {0, 2})
        world.workload().write(region, static_cast<std::uint32_t>(i % 60),
                               i % 3 == 0 ? WriteKind::remove : WriteKind::put);
      world.run_for(20);
    }
    finish(world);
    EXPECT_GT(repairs(world), 0U) << seed;
  }
}

}  // namespace
}  // namespace meridian::sim
