// What a drain may and may not say: a region that is cut off, writes that only a third region had made,
// records in quarantine, a source that begins another run, and what is there after the answer was yes.
#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

constexpr std::int64_t kLongUs = 3600 * kSecondUs;

// The answer, once it is there.
struct Asked {
  bool ended = false;
  bool yes = false;
};

std::shared_ptr<Asked> ask(World& world, std::size_t from, std::size_t to, std::int64_t for_us) {
  auto asked = std::make_shared<Asked>();
  world.drains().ask(from, to, for_us, [asked](bool yes) { *asked = {true, yes}; });
  return asked;
}

void write_some(World& world, std::size_t region, std::uint32_t keys) {
  for (std::uint32_t key = 0; key < keys; ++key) {
    world.workload().write(region, key, key % 4 == 3 ? WriteKind::remove : WriteKind::put);
    world.run_for(10);
  }
}

Shape quiet(std::uint64_t seed) {
  Shape shape = plain_shape(seed, 3);
  shape.load.clients = 0;
  shape.load.bursts = 0;
  return shape;
}

TEST(Drain, SaysYesUnderLoadAndBeforeTheLoadEnds) {
  Shape shape = plain_shape(31, 3);
  shape.storm_ms = 8'000;
  Script script{shape, plan_events(shape)};
  for (std::int64_t i = 0; i < 20; ++i)
    script.events.push_back(
        {500'000 + i * 300'000, EventKind::drain, {i % 3, (i + 1) % 3, 2'000'000}});
  std::stable_sort(script.events.begin(), script.events.end(),
                   [](const Event& a, const Event& b) { return a.at_us < b.at_us; });
  World world(std::move(script), nullptr);
  world.storm();
  EXPECT_GE(world.drains().said_yes(), 15U);
  finish(world);
}

TEST(Drain, NoYesFromWhoIsCutOff) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    World world(quiet(seed), nullptr);
    write_some(world, 0, 20);
    world.run_for(2'000);
    world.faults().cut(0, 1, kLongUs);
    world.workload().write(0, 3, WriteKind::put);
    world.run_for(10);
    auto cut_off = ask(world, 0, 1, 10 * kSecondUs);
    auto other = ask(world, 0, 2, 10 * kSecondUs);
    world.run_for(11'000);
    EXPECT_TRUE(cut_off->ended && !cut_off->yes) << seed;
    EXPECT_TRUE(other->yes) << seed;
    // Idle links confirm nothing either, as long as they are cut.
    auto idle = ask(world, 0, 1, 10 * kSecondUs);
    world.run_for(11'000);
    EXPECT_TRUE(idle->ended && !idle->yes) << seed;
    finish(world);
  }
}

// What the third region had shipped to the source alone is on no flow from the source.
TEST(Drain, NoYesWithoutWhatAThirdRegionHasToldTheSourceOnly) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    World world(quiet(seed), nullptr);
    write_some(world, 2, 10);
    world.run_for(2'000);
    world.faults().cut(2, 1, kLongUs);
    write_some(world, 2, 10);
    world.run_for(2'000);
    auto asked = ask(world, 0, 1, 8 * kSecondUs);
    world.run_for(9'000);
    EXPECT_TRUE(asked->ended && !asked->yes) << seed;
    // Nor when the third region is dead, and its link is no longer cut.
    world.node(2).crash(SimNode::Crash::plain);
    auto dead = ask(world, 0, 1, 8 * kSecondUs);
    world.run_for(9'000);
    EXPECT_TRUE(dead->ended && !dead->yes) << seed;
    finish(world);
  }
}

// What the source knew when it was asked, that a region has lost some of its past, is no lasting no.
TEST(Drain, YesOnceTheTwoWereComparedAfterAThirdRegionForgot) {
  World world(quiet(1), nullptr);
  write_some(world, 2, 8);
  world.run_for(2'000);
  world.faults().copy_store(2);
  for (std::size_t other : {0U, 2U}) {
    world.faults().cut(other, 1, kLongUs);
    world.faults().cut(1, other, kLongUs);
  }
  world.workload().write(2, 3, WriteKind::put);
  world.run_for(2'000);
  world.faults().restore_store(2, 200'000);
  world.run_for(8'000);
  auto source = world.node(0).store().catalog()->find(world.table_of(3));
  ASSERT_TRUE(source->unsettled_with(world.node(1).region()));
  auto asked = ask(world, 0, 1, 60 * kSecondUs);
  world.run_for(1'000);
  EXPECT_FALSE(asked->ended);
  world.faults().heal();
  world.run_for(30'000);
  EXPECT_TRUE(asked->yes);
  finish(world);
}

TEST(Drain, NoYesWithARecordInQuarantine) {
  World world(quiet(7), nullptr);
  write_some(world, 0, 10);
  world.run_for(1'000);
  world.workload().write(0, 2, WriteKind::poison);
  world.run_for(1'000);
  auto parked = ask(world, 0, 1, 6 * kSecondUs);
  world.run_for(7'000);
  EXPECT_TRUE(parked->ended && !parked->yes);
  world.workload().write(0, 2, WriteKind::put);
  world.run_for(10);
  auto retired = ask(world, 0, 1, 6 * kSecondUs);
  world.run_for(7'000);
  EXPECT_TRUE(retired->yes);
  finish(world);
}

// The barrier of a run that is over is taken anew; what was asked for stays owed.
TEST(Drain, TheSourceDiesBetweenTheBarrierAndTheAnswer) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    World world(quiet(seed), nullptr);
    world.faults().cut(0, 1, 2 * kSecondUs);
    write_some(world, 0, 20);
    auto asked = ask(world, 0, 1, 20 * kSecondUs);
    world.run_for(300);
    world.faults().crash_node(0, SimNode::Crash::power, 500'000);
    world.run_for(20'000);
    EXPECT_TRUE(asked->yes) << seed;
    finish(world);
  }
}

// After a yes the source may go for good, and the sink lose power: what was owed is there.
TEST(Drain, WhatWasSaidHoldsWhateverFailsNext) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Shape shape = plain_shape(seed, 3);
    shape.storm_ms = 3'000;
    shape.links[2 * 3 + 1].delay_us = 400'000;  // what the third region writes is here late
    World world(shape, nullptr);
    world.storm();
    auto asked = ask(world, 0, 1, 20 * kSecondUs);
    for (int i = 0; i < 200 && !asked->ended; ++i) world.run_for(50);
    ASSERT_TRUE(asked->yes) << seed;
    world.node(0).crash(SimNode::Crash::power);
    world.node(2).crash(SimNode::Crash::power);
    world.faults().crash_node(1, SimNode::Crash::power, 100'000);
    world.run_for(1'000);
    world.drains().check_kept(1);
    EXPECT_TRUE(passed(world.findings())) << seed;
    finish(world);
  }
}

}  // namespace
}  // namespace meridian::sim
