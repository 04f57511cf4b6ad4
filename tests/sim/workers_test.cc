// Scenarios with two replicators in each region, which share its shards by leases.
#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

Shape two_workers(std::uint64_t seed) {
  Shape shape = plain_shape(seed, 2);
  shape.workers = 2;
  for (auto& region : shape.regions) region.shards = 4;
  return shape;
}

TEST(Workers, TheyShareEvenly) {
  World world(two_workers(31), nullptr);
  world.run_for(2'000);
  for (std::size_t region : {0U, 1U}) {
    EXPECT_EQ(world.replicator(region).held(), 2U);
    EXPECT_EQ(world.replicator(region + 2).held(), 2U);  // the second of the region
  }
  for (std::uint32_t key = 0; key < 40; ++key) world.workload().write(0, key, WriteKind::put);
  world.run_for(2'000);
  EXPECT_GT(world.replicator(0).records_shipped(), 0U);
  EXPECT_GT(world.replicator(2).records_shipped(), 0U);
  finish(world);
}

TEST(Workers, WhoDiesForGoodIsInherited) {
  World world(two_workers(32), nullptr);
  world.run_for(2'000);
  world.faults().run({0, EventKind::crash_worker, {0, 0}});
  ASSERT_FALSE(world.replicator(2).up());
  std::vector<const Write*> writes;
  for (std::uint32_t key = 0; key < 40; ++key)
    writes.push_back(world.workload().write(0, key, WriteKind::put));
  world.run_for(200);
  EXPECT_EQ(world.replicator(0).held(), 2U);  // it might only be slow
  world.run_for(2'000);
  EXPECT_EQ(world.replicator(0).held(), 4U);
  for (std::uint32_t key = 0; key < 40; ++key)
    EXPECT_EQ(image_at(world, 1, key), writes[key]->mutation->wanted());
  finish(world);
}

TEST(Workers, AStorm) {
  for (std::uint64_t seed = 33; seed < 39; ++seed) {
    Shape shape = two_workers(seed);
    shape.faults.replicator_crashes = 16;
    shape.faults.twins = 2;
    shape.faults.node_crashes = 2;
    shape.faults.down_ms_max = 1'500;
    World world(shape, nullptr);
    world.storm();
    finish(world);
  }
}

}  // namespace
}  // namespace meridian::sim
