// S6: replicas that are added while clients write, and taken away.
#include "region-node/copy/copy_cursor.h"
#include "region-node/copy/table_copy.h"
#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

Shape joining(std::uint64_t seed) {
  Shape shape = plain_shape(seed, 4);
  shape.joins = 1;
  shape.load.keys = 300;
  shape.load.bursts = 30;
  shape.load.remove_percent = 30;
  return shape;
}

// The same, with the joining left to the test.
Script joining_later(std::uint64_t seed) {
  Script script{joining(seed), {}};
  script.events = plan_events(script.shape);
  std::erase_if(script.events, [](const Event& each) { return each.kind == EventKind::join; });
  return script;
}

std::optional<copy::CopyCursor> cursor_of(World& world, std::size_t region) {
  if (!world.node(region).up()) return std::nullopt;
  auto stored =
      world.node(region).reader().cursor(world.table_of(0), copy::TableCopy::kCursor);
  return stored ? copy::decode_cursor(*stored) : std::nullopt;
}

TEST(Join, UnderLoad) {
  for (std::uint64_t seed = 600; seed < 610; ++seed) {
    World world(joining(seed), nullptr);
    world.run();
    EXPECT_TRUE(passed(world.findings())) << "seed " << seed;
  }
}

TEST(Join, BothSidesDieWhileItIsFilled) {
  std::uint64_t resumed = 0;
  for (std::uint64_t seed = 620; seed < 630; ++seed) {
    World world(joining_later(seed), nullptr);
    world.storm();
    world.add_replica(3);
    for (int i = 0; i < 400 && !whole(world, 3); ++i) {
      world.run_for(50);
      auto before = cursor_of(world, 3);
      if (!before || before->rows == 0 || i % 5 != 0) continue;
      // What was applied stays applied, and is not asked for again.
      world.faults().crash_node(3, SimNode::Crash::plain, 30'000);
      world.faults().crash_node(before->seed == world.node(0).region() ? 0 : 1,
                                SimNode::Crash::power, 40'000);
      world.run_for(100);
      auto after = cursor_of(world, 3);
      bool kept = whole(world, 3) || (after && after->rows >= before->rows);
      EXPECT_TRUE(kept || !world.node(3).up()) << "seed " << seed;
      ++resumed;
    }
    finish(world);
  }
  EXPECT_GT(resumed, 10U);
}

// The seed is gone for good: the scan is begun anew with another.
TEST(Join, TheSeedDoesNotComeBack) {
  std::uint64_t changed = 0;
  for (std::uint64_t seed = 640; seed < 650; ++seed) {
    World world(joining_later(seed), nullptr);
    world.storm();
    world.add_replica(3);
    std::optional<copy::CopyCursor> begun;
    for (int i = 0; i < 200 && !begun; ++i) {
      world.run_for(10);
      begun = cursor_of(world, 3);
    }
    if (!begun) continue;
    for (std::size_t region = 0; region < 3; ++region)
      if (world.node(region).region() == begun->seed)
        world.faults().crash_node(region, SimNode::Crash::plain, 60 * kSecondUs);
    world.run_for(15'000);
    auto now = cursor_of(world, 3);
    changed += whole(world, 3) || (now && now->seed != begun->seed) ? 1 : 0;
    finish(world);
  }
  EXPECT_GT(changed, 5U);
}

// A region leaves once it is drained, and comes back as one that has forgotten everything.
TEST(Join, LeaveAndJoinAgain) {
  for (std::uint64_t seed = 660; seed < 665; ++seed) {
    Shape shape = plain_shape(seed, 3);
    shape.load.remove_percent = 40;
    World world(shape, nullptr);
    world.storm();
    world.calm();
    ASSERT_TRUE(world.at_rest());
    const TableId table = world.table_of(0);
    auto ok = std::make_shared<int>(0);
    auto note = [ok](const store::ControlResult& result) { *ok += result.ok() ? 1 : 0; };
    world.node(2).store().drop_table(table, false, note);
    world.node(2).commit_now();
    world.node(0).store().set_replica(table, world.node(2).region(), false, note);
    world.node(0).commit_now();
    ASSERT_EQ(*ok, 2);
    for (std::size_t region = 0; region < 2; ++region) world.replicator(region).forget_sink(2);
    world.run_for(1'000);
    // (Only now: one that began before the others have heard of it would find its old position
    // there.)
    for (std::size_t region = 0; region < 2; ++region) world.replicator(2).forget_sink(region);
    for (std::uint32_t key = 0; key < 40; ++key)
      world.workload().write(key % 2, key, key % 3 == 0 ? WriteKind::remove : WriteKind::put);
    world.run_for(500);
    world.add_replica(2);
    world.run_for(3'000);
    world.workload().write(2, 1, WriteKind::put);
    world.calm();
    EXPECT_TRUE(passed(world.findings())) << "seed " << seed;
    EXPECT_TRUE(world.at_rest());
    auto first = world.rows(0);
    for (std::size_t region = 1; region < 3; ++region) EXPECT_EQ(world.rows(region), first);
  }
}

}  // namespace
}  // namespace meridian::sim
