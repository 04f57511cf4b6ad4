// Scenarios: runs with one thing wrong each, named after the table in docs/SIMULATION.md.
#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

// Without faults nothing is shipped twice, and to every peer once.
TEST(Scenario, ACalmWorldShipsEachWriteOnce) {
  World world(plain_shape(11, 3), nullptr);
  world.storm();
  finish(world);
  std::uint64_t shipped = 0;
  for (std::size_t region = 0; region < 3; ++region)
    shipped += world.replicator(region).records_shipped();
  EXPECT_EQ(shipped, 2 * world.history().count(WriteState::acknowledged));
  EXPECT_EQ(world.history().count(WriteState::refused), 0U);
  EXPECT_EQ(world.history().count(WriteState::unknown), 0U);
}

// S1: both sides write and delete the same 1,000 keys, 4,000 times each, 70 in 100 puts and 30 deletes,
// while they cannot hear each other.
TEST(Scenario, TwoSidedPartition) {
  Shape shape = plain_shape(1, 2);
  shape.load = {.keys = 1'000, .clients = 4, .think_us_max = 8'000, .bursts = 0,
                .remove_percent = 30, .append_percent = 0, .insert_percent = 0,
                .same_percent = 0, .writes_max = 1'000};
  shape.storm_ms = 6'000;
  World world(shape, nullptr);
  world.faults().cut(0, 1, 60 * kSecondUs);
  world.faults().cut(1, 0, 60 * kSecondUs);
  world.storm();
  EXPECT_EQ(world.history().writes().size(), 8'000U);
  EXPECT_FALSE(world.at_rest());
  finish(world);
  EXPECT_EQ(world.history().count(WriteState::acknowledged), 8'000U);
}

// S2: one direction of one link among three regions is cut, and a region dies after reaching only
// one survivor; when it is back, all agree.
TEST(Scenario, AsymmetricPartitionAndADeadRegion) {
  Shape shape = plain_shape(2, 3);
  World world(shape, nullptr);
  world.faults().cut(0, 2, 60 * kSecondUs);
  world.storm();
  world.faults().crash_replicator(0, 60 * kSecondUs);
  world.faults().crash_node(0, SimNode::Crash::after_commit, 60 * kSecondUs);
  world.run_for(5'000);
  finish(world);
}

// S3: a clock that steps while its node runs is not believed: writes are refused, none is lost.
TEST(Scenario, AClockStepOfAnHourIsRefused) {
  for (std::int64_t step_us : {5 * kSecondUs, 3600 * kSecondUs, -3600 * kSecondUs}) {
    World world(plain_shape(3, 3), nullptr);
    world.workload().write(1, 0, WriteKind::put);
    world.run_for(500);
    world.faults().step_clock(1, step_us, 60 * kSecondUs);
    const Write* write = world.workload().write(1, 1, WriteKind::put);
    world.run_for(500);
    EXPECT_EQ(write->state, WriteState::refused) << step_us;
    finish(world);
  }
}

// S3: a machine reboots with its clock far ahead, and nobody can know.  Its versions are held
// elsewhere until true time is there; then they are applied.
TEST(Scenario, VersionsFromTheFutureAreHeldAndThenApplied) {
  World world(plain_shape(4, 3), nullptr);
  world.node(0).crash(SimNode::Crash::plain);
  world.clock(0).reboot();
  world.clock(0).step(8 * kSecondUs);
  world.run_for(100);
  ASSERT_FALSE(world.node(0).up());
  world.node(0).start();
  const Write* write = world.workload().write(0, 5, WriteKind::put);
  world.run_for(3'000);
  ASSERT_EQ(write->state, WriteState::acknowledged);
  EXPECT_EQ(image_at(world, 1, 5), std::nullopt);
  EXPECT_GT(world.node(1).store().health().batches_held, 0U);
  world.run_for(8'000);
  EXPECT_EQ(image_at(world, 1, 5), write->mutation->wanted());
  EXPECT_EQ(image_at(world, 2, 5), write->mutation->wanted());
  finish(world);
}

// S3: a clock that jumps to and fro all the time, by less and by more than what is adopted.
TEST(Scenario, AStrobingClock) {
  Shape shape = plain_shape(14, 3);
  Script script{shape, plan_events(shape)};
  for (std::int64_t at_us = 100'000; at_us < 5 * kSecondUs; at_us += 60'000) {
    std::int64_t by_us = at_us % 120'000 == 40'000 ? -2 * kSecondUs : 450'000;
    script.events.push_back({at_us, EventKind::step_clock, {1, by_us, 35'000}});
  }
  World world(script, nullptr);
  world.storm();
  finish(world);
  EXPECT_GT(world.history().count(WriteState::refused), 0U);
}

// S4: node and replicator die again and again.
TEST(Scenario, CrashLoops) {
  Shape shape = plain_shape(5, 3);
  shape.faults.node_crashes = 40;
  shape.faults.replicator_crashes = 40;
  shape.faults.down_ms_max = 60;
  World world(shape, nullptr);
  world.storm();
  finish(world);
}

// S8: every second message comes twice, many overtake others, some get lost.
TEST(Scenario, DuplicatesReorderingAndLoss) {
  Shape shape = plain_shape(6, 3);
  for (auto& link : shape.links) {
    link.duplicate_percent = 50;
    link.reorder_percent = 40;
    link.jitter_us = 60'000;
    link.loss_percent = 5;
  }
  shape.pump.batch_records_max = 2;
  World world(shape, nullptr);
  world.storm();
  finish(world);
}

// S9: one key gets as many writes as a thousand others, from all regions, often in the same moment.
TEST(Scenario, HotKey) {
  Shape shape = plain_shape(7, 5);
  shape.load.keys = 1'000;
  shape.load.hot_percent = 50;
  shape.load.bursts = 100;
  shape.storm_ms = 3'000;
  World world(shape, nullptr);
  world.storm();
  finish(world);
}

// Equal clocks give equal times: the region's name decides, the same everywhere.
TEST(Scenario, TiesAreBrokenAlikeEverywhere) {
  World world(plain_shape(8, 3), nullptr);
  std::size_t ties = 0;
  for (std::uint32_t key = 0; key < 40; ++key) {
    const Write* writes[3];
    for (std::size_t region = 0; region < 3; ++region)
      writes[region] = world.workload().write(region, key, WriteKind::put);
    world.run_for(7);
    ties += writes[0]->version.hlc == writes[1]->version.hlc ? 1 : 0;
    world.run_for(5);
  }
  EXPECT_GT(ties, 0U);
  finish(world);
}

// What the flows of a region say of themselves.
std::string flow_states(World& world, std::size_t source) {
  std::string all;
  for (const auto& state : world.replicator(source).states()) all += state + "\n";
  return all;
}

// A region that is no member is refused, and says so; when it is one again, it owes everything.
TEST(Scenario, ARemovedRegionIsRefusedUntilItIsBack) {
  World world(plain_shape(15, 2), nullptr);
  world.workload().write(0, 1, WriteKind::put);
  world.run_for(1'000);
  RegionId source = world.node(0).region();
  auto answer = [](const store::ControlResult& result) { EXPECT_TRUE(result.ok()); };
  world.node(1).store().set_replica(world.table_of(0), source, false, answer);
  world.node(1).commit_now();
  const Write* write = world.workload().write(0, 2, WriteKind::put);
  world.run_for(3'000);
  EXPECT_NE(flow_states(world, 0).find("not a replica"), std::string::npos);
  EXPECT_EQ(image_at(world, 1, 2), std::nullopt);
  world.node(1).store().set_replica(world.table_of(0), source, true, answer);
  world.node(1).commit_now();
  world.run_for(5'000);
  EXPECT_EQ(image_at(world, 1, 2), write->mutation->wanted());
  EXPECT_TRUE(world.at_rest());
}

// A name is believed with the first identity that came with it, and with no other.
TEST(Scenario, AnotherIdentityUnderAKnownNameIsRefused) {
  World world(plain_shape(16, 2), nullptr);
  bool pinned = false;
  world.node(1).store().pin_identity(world.node(0).region(), NodeId(4711),
                                     [&pinned](const auto& done) { pinned = done == true; });
  world.node(1).commit_now();
  EXPECT_TRUE(pinned);
  world.workload().write(0, 1, WriteKind::put);
  world.run_for(2'000);
  EXPECT_NE(flow_states(world, 0).find("another node identity"), std::string::npos);
  EXPECT_EQ(image_at(world, 1, 1), std::nullopt);
}

// The sink has dropped its copy: the flow waits and says why.
TEST(Scenario, ADroppedTableIsMissedByItsFlows) {
  World world(plain_shape(17, 2), nullptr);
  world.workload().write(0, 1, WriteKind::put);
  world.run_for(1'000);
  bool dropped = false;
  world.node(1).store().drop_table(
      world.table_of(0), false,
      [&dropped](const store::ControlResult& result) { dropped = result.ok(); });
  world.node(1).commit_now();
  EXPECT_TRUE(dropped);  // its peer has everything
  world.workload().write(0, 2, WriteKind::put);
  world.run_for(2'000);
  EXPECT_NE(flow_states(world, 0).find("does not have the table"), std::string::npos);
}

class Poison final : public store::ItemMutation {
 public:
  store::Verdict evaluate(std::optional<BytesView>) override {
    return {store::Verdict::Kind::put, "not an image"};
  }
};

// A record that cannot become an item is put aside: only its key waits, and a newer version retires it.
TEST(Scenario, APoisonRecordDelaysOnlyItsKey) {
  World world(plain_shape(13, 2), nullptr);
  world.node(0).write(world.table_of(3), key_of(3), std::make_shared<Poison>(), [](const auto&) {});
  world.run_for(100);
  const Write* next = world.workload().write(0, 5, WriteKind::put);
  world.run_for(2'000);
  auto parked = world.node(1).reader().parked(world.table_of(3), 10, 0);
  ASSERT_EQ(parked.size(), 1U);
  EXPECT_EQ(parked[0].record.key, key_of(3));
  EXPECT_FALSE(parked[0].reason.empty());
  EXPECT_EQ(image_at(world, 1, 3), std::nullopt);
  EXPECT_EQ(image_at(world, 1, 5), next->mutation->wanted());
  const Write* good = world.workload().write(0, 3, WriteKind::put);
  world.run_for(2'000);
  EXPECT_TRUE(world.node(1).reader().parked(world.table_of(3), 10, 0).empty());
  EXPECT_EQ(image_at(world, 1, 3), good->mutation->wanted());
  EXPECT_TRUE(passed(world.findings()));
}

// The clock of a region is ten minutes ahead from its start on.  What it writes is held elsewhere, said
// to be, and taken on an operator's word; nothing is lost, and nobody else's clock goes along.
TEST(Scenario, TenMinutesAheadAreHeldAndReleasedByAnOperator) {
  Shape shape = plain_shape(18, 3);
  shape.regions[0].clock_offset_us = 600 * kSecondUs;
  World world(shape, nullptr);
  const Write* ahead = world.workload().write(0, 5, WriteKind::put);
  const Write* other = world.workload().write(1, 6, WriteKind::put);
  world.run_for(3'000);
  ASSERT_EQ(ahead->state, WriteState::acknowledged);
  EXPECT_EQ(image_at(world, 0, 6), other->mutation->wanted());
  for (std::size_t region : {1U, 2U}) {
    EXPECT_EQ(image_at(world, region, 5), std::nullopt);
    auto report = world.node(region).store().clock_report();
    ASSERT_EQ(report.held.size(), 1U);
    EXPECT_EQ(report.held[0].source, world.node(0).region());
    EXPECT_EQ(report.held[0].furthest, ahead->version.hlc);
    EXPECT_GT(report.held[0].ahead_ms, 590'000);
    world.node(region).store().release_versions(report.held[0].source, report.held[0].furthest,
                                                [](bool taken) { EXPECT_TRUE(taken); });
    world.node(region).commit_now();
  }
  world.run_for(3'000);
  for (std::size_t region : {1U, 2U})
    EXPECT_EQ(image_at(world, region, 5), ahead->mutation->wanted());
  EXPECT_LT(world.node(1).store().clock_report().minted_ahead_ms, 1'000);
  // Its clock is put right, and it is told that it is: its versions are then far ahead of it.
  world.node(0).crash(SimNode::Crash::plain);
  world.clock(0).set_right(0);
  world.node(0).start();
  EXPECT_TRUE(world.node(0).told_clock());
  EXPECT_EQ(image_at(world, 0, 5), ahead->mutation->wanted());
  const Write* refused = world.workload().write(0, 7, WriteKind::put);
  world.run_for(1'000);
  EXPECT_EQ(refused->state, WriteState::refused);
  world.run_for(600'000);  // true time comes that far
  finish(world);
}

// A delete of an absent key beats an older write that has not arrived yet.
TEST(Scenario, ADeleteOfNothingLeavesATombstone) {
  World world(plain_shape(9, 2), nullptr);
  world.faults().cut(0, 1, 2 * kSecondUs);
  world.workload().write(0, 3, WriteKind::put);
  world.run_for(300);
  world.workload().write(1, 3, WriteKind::remove);
  world.run_for(300);
  finish(world);
  EXPECT_EQ(image_at(world, 0, 3), std::nullopt);
  EXPECT_EQ(image_at(world, 1, 3), std::nullopt);
}

// A write of the same value was acknowledged after a peer's older write, and must beat it.
TEST(Scenario, TheSameValueAgainBeatsAnOlderWrite) {
  World world(plain_shape(10, 2), nullptr);
  const Write* first = world.workload().write(0, 3, WriteKind::put);
  world.run_for(2'000);
  world.network().cut(1, 0);
  world.workload().write(1, 3, WriteKind::put);
  world.run_for(200);
  world.workload().write(0, 3, WriteKind::same);
  world.run_for(200);
  finish(world);
  EXPECT_EQ(image_at(world, 0, 3), first->mutation->wanted());
  EXPECT_EQ(image_at(world, 1, 3), first->mutation->wanted());
}

// S10: a link is paused on purpose and resumed, again and again, while clients write and processes die: the
// flows hold where they are, others go on, and nothing is skipped.
TEST(Scenario, LinksArePausedAndResumed) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Shape shape = plain_shape(seed, 3);
    shape.storm_ms = 6'000;
    shape.faults.pauses = 12;
    shape.faults.node_crashes = 3;
    shape.faults.replicator_crashes = 4;
    shape.faults.down_ms_max = 400;
    World world(shape, nullptr);
    world.run();
    EXPECT_TRUE(passed(world.findings())) << "seed " << seed;
  }
}

TEST(Scenario, APausedLinkHoldsItsFlowsAndNoOthers) {
  Shape shape = plain_shape(17, 3);
  shape.load.clients = 0;
  shape.load.bursts = 0;
  World world(shape, nullptr);
  world.workload().write(0, 1, WriteKind::put);
  world.run_for(1'000);
  world.faults().pause(0, 1, 20 * kSecondUs);
  world.run_for(2'000);  // what was under way has arrived
  for (std::uint32_t key = 0; key < 10; ++key) world.workload().write(0, key, WriteKind::put);
  world.run_for(5'000);
  EXPECT_TRUE(image_at(world, 2, 5).has_value());
  EXPECT_FALSE(image_at(world, 1, 5).has_value());
  world.run_for(15'000);
  EXPECT_TRUE(image_at(world, 1, 5).has_value());
  finish(world);
}

}  // namespace
}  // namespace meridian::sim
