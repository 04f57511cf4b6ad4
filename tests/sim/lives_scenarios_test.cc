// Regions that lose their data directories, or get an older copy of them, at the worst of times.
#include "region-node/copy/copy_cursor.h"
#include "region-node/copy/table_copy.h"
#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

Shape small(std::uint64_t seed, std::size_t regions) {
  Shape shape = plain_shape(seed, regions);
  shape.load.keys = 40;
  return shape;
}

bool being_filled(World& world, std::size_t region) {
  auto& node = world.node(region);
  if (!node.up() || !node.store().catalog()->find(world.table_of(0))) return false;
  auto stored = node.reader().cursor(world.table_of(0), copy::TableCopy::kCursor);
  auto cursor = stored ? copy::decode_cursor(*stored) : std::nullopt;
  return cursor && cursor->rows > 0;
}

TEST(Lives, ALostDirectoryIsFilledAgain) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    World world(small(seed, 3), nullptr);
    world.storm();
    world.faults().lose_store(1, kSecondUs, Faults::Checkpoints::kept);
    world.run_for(5'000);
    EXPECT_TRUE(whole(world, 1)) << seed;
    const Write* write = world.workload().write(1, 7, WriteKind::put);
    world.run_for(1'000);
    ASSERT_NE(write, nullptr);
    EXPECT_EQ(write->state, WriteState::acknowledged) << seed;
    finish(world);
  }
}

// Others have been told of its new life when that is lost too: they are not to take the next for it.
TEST(Lives, LostTwiceInQuickSuccession) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    World world(small(seed, 3), nullptr);
    world.storm();
    world.faults().lose_store(1, 20'000, Faults::Checkpoints::lost_too);
    world.run_for(static_cast<std::int64_t>(50 * seed));
    for (int i = 0; i < 400 && world.faults().stores_lost() < 2; ++i) {
      world.run_for(5);
      world.faults().lose_store(1, 20'000, Faults::Checkpoints::lost_too);
    }
    EXPECT_EQ(world.faults().stores_lost(), 2U) << seed;
    finish(world);
  }
}

// What it wrote after the copy was made has reached one other region only, which is asked last.
TEST(Lives, WhatASurvivorHasOfItComesToAll) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Shape shape = small(seed, 3);
    shape.link(0, 1).delay_us = 300'000;
    shape.link(1, 0).delay_us = 300'000;
    World world(shape, nullptr);
    world.storm();
    world.run_for(3'000);
    world.faults().copy_store(1);
    world.faults().cut(1, 2, 4 * kSecondUs);
    for (std::uint32_t key = 0; key < 20; ++key)
      world.workload().write(1, key, key % 3 == 0 ? WriteKind::remove : WriteKind::put);
    world.run_for(3'000);
    world.faults().restore_store(1, 1'500'000);
    world.run_for(6'000);
    finish(world);
    EXPECT_EQ(world.history().count(WriteState::unknown), 0U) << seed;
  }
}

// As of the copy it was being filled, and the others know that it has been filled since.
TEST(Lives, ACopyFromTheMiddleOfBeingFilled) {
  std::size_t restored = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Script script{small(seed, 4), {}};
    script.shape.joins = 1;
    script.shape.load.keys = 300;
    script.events = plan_events(script.shape);
    std::erase_if(script.events, [](const Event& each) { return each.kind == EventKind::join; });
    World world(script, nullptr);
    world.storm();
    world.add_replica(3);
    bool copied = false;
    for (int i = 0; i < 2'000 && !whole(world, 3); ++i) {
      world.run_for(5);
      if (copied || !being_filled(world, 3)) continue;
      world.faults().copy_store(3);
      copied = true;
    }
    world.run_for(500);
    world.faults().restore_store(3, kSecondUs);
    world.run_for(15'000);
    EXPECT_TRUE(whole(world, 3)) << seed;
    EXPECT_EQ(world.node(3).reader().stats(world.table_of(0)).items,
              world.node(0).reader().stats(world.table_of(0)).items)
        << seed;
    EXPECT_TRUE(passed(world.findings())) << seed;
    restored += world.faults().stores_restored();
  }
  EXPECT_GT(restored, 2U);
}

}  // namespace
}  // namespace meridian::sim
