// Scenarios of disks that fail (S5): writes and syncs that fail, torn writes, power that goes, bits that
// flip, a log restored from a backup.
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "tests/sim/scenario.h"

namespace meridian::sim {
namespace {

void write_keys(World& world, std::size_t region, std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t key = from; key < to; ++key)
    world.workload().write(region, key, key % 4 == 3 ? WriteKind::remove : WriteKind::put);
}

// Each kind of fault at each of the first writes or syncs after some load: what was acknowledged is
// there when all is over, at both regions.
TEST(DiskScenario, EveryFaultAtEveryStepOfACommit) {
  for (auto fault : {DiskFault::write_fails, DiskFault::write_torn, DiskFault::write_full,
                     DiskFault::sync_fails, DiskFault::power_in_write, DiskFault::power_in_sync}) {
    for (std::uint32_t nth = 1; nth <= 24; ++nth) {
      Shape shape = plain_shape(100 + nth, 2);
      shape.wal_checkpoint_pages = 10;
      World world(shape, nullptr);
      write_keys(world, 0, 0, 20);
      world.run_for(400);
      world.faults().run({0, EventKind::disk_fault, {0, static_cast<int>(fault), nth, 50'000}});
      for (int round = 0; round < 8; ++round) {
        write_keys(world, 0, 0, 20);
        write_keys(world, 1, 10, 30);
        world.run_for(120);
      }
      world.run_for(1'000);
      // Power goes once more: what the failed disk only pretended to hold is gone now.
      if (world.node(0).up()) world.faults().crash_node(0, SimNode::Crash::power, 10'000);
      finish(world);
      if (HasFailure()) FAIL() << "fault " << static_cast<int>(fault) << " at " << nth;
    }
  }
}

// A sync that fails is not tried again: the system says yes to the second one, and has lost the data.
TEST(DiskScenario, AfterAFailedSyncNothingIsAcknowledgedUntilARestart) {
  World world(plain_shape(21, 2), nullptr);
  write_keys(world, 0, 0, 10);
  world.run_for(500);
  world.node(0).disk().arm(DiskFault::sync_fails, 1);
  const Write* first = world.workload().write(0, 1, WriteKind::put);
  world.run_for(100);
  const Write* second = world.workload().write(0, 2, WriteKind::put);
  world.run_for(100);
  EXPECT_EQ(first->state, WriteState::unknown);
  EXPECT_EQ(second->state, WriteState::unknown);
  EXPECT_FALSE(world.node(0).store().health().accepts_writes);
  EXPECT_TRUE(image_at(world, 0, 4).has_value());  // goes on reading
  finish(world);                                   // restarts it
}

// What a failed sync left in the WAL can be read and is not on the disk.  A start copies it into the
// file: when power goes anywhere in that start, no older page of the WAL may come to lie over it.
TEST(DiskScenario, PowerGoesInAStartAfterAFailedSync) {
  for (auto fault : {DiskFault::power_in_write, DiskFault::power_in_sync}) {
    for (std::uint32_t nth = 1; nth <= 60; ++nth) {
      Shape shape = plain_shape(200 + nth, 2);
      shape.load.keys = 120;
      World world(shape, nullptr);
      write_keys(world, 0, 0, 120);
      world.run_for(600);
      world.node(0).crash(SimNode::Crash::plain);
      world.node(0).start();  // empties the WAL: few pages of the file are in it from here on
      world.run_for(100);
      write_keys(world, 0, 0, 2);
      world.run_for(100);
      world.node(0).disk().arm(DiskFault::sync_fails, 1);
      write_keys(world, 0, 0, 120);
      world.run_for(100);
      ASSERT_TRUE(world.node(0).disk().sync_failed());
      world.node(0).crash(SimNode::Crash::plain);
      world.node(0).disk().arm(fault, nth);
      world.node(0).start();
      if (world.node(0).up()) world.node(0).crash(SimNode::Crash::power);
      finish(world);
      if (HasFailure()) FAIL() << "fault " << static_cast<int>(fault) << " at " << nth;
    }
  }
}

TEST(DiskScenario, AFullDiskIsLeftWithoutARestart) {
  World world(plain_shape(22, 2), nullptr);
  write_keys(world, 0, 0, 10);
  world.run_for(500);
  auto starts = world.node(0).starts();
  world.node(0).disk().set_full(true);
  for (int round = 0; round < 40; ++round) {
    write_keys(world, 0, 0, 40);
    world.run_for(50);
  }
  EXPECT_FALSE(world.node(0).store().health().accepts_writes);
  world.node(0).disk().set_full(false);
  world.run_for(3'000);
  EXPECT_TRUE(world.node(0).store().health().accepts_writes);
  EXPECT_EQ(world.node(0).starts(), starts);
  finish(world);
}

// What a damaged checkpoint database says is a hint at most: whatever bit flips, nothing is lost.
TEST(DiskScenario, ABitFlipInTheCheckpointsLosesNothing) {
  unsigned unreadable = 0;
  for (std::int64_t bit = 0; bit < 60'000; bit += 991) {
    World world(plain_shape(23, 2), nullptr);
    write_keys(world, 0, 0, 20);
    world.run_for(600);
    world.faults().crash_replicator(0, 60 * kSecondUs);
    world.faults().run({0, EventKind::damage, {0, bit}});
    write_keys(world, 0, 0, 20);
    world.run_for(50);
    finish(world);
    unreadable += world.replicator(0).unreadable();
    if (HasFailure()) FAIL() << "bit " << bit;
  }
  EXPECT_GT(unreadable, 0U);
}

enum class Outcome { harmless, reported, stopped, silent };

bool same(const store::Row& a, const store::Row& b) {
  return a.key == b.key && a.version == b.version && a.context == b.context && a.image == b.image;
}

// What becomes of a node whose files are these: started, everything read and compared with what there
// was, in a process of its own.
Outcome outcome_of(World& world, const SimDisk::Files& damaged,
                   const std::vector<store::Row>& expected) {
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid == 0) {
    if (freopen("/dev/null", "w", stderr) == nullptr) _exit(9);
    try {
      world.node(0).disk().set_files(damaged);
      world.node(0).start();
      auto rows = world.rows(0);
      bool all = std::equal(rows.begin(), rows.end(), expected.begin(), expected.end(), same);
      _exit(all ? 0 : world.node(0).invariants().empty() ? 3 : 1);
    } catch (const std::exception&) {
      _exit(1);
    }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) return Outcome::stopped;
  switch (WEXITSTATUS(status)) {
    case 0: return Outcome::harmless;
    case 1: return Outcome::reported;
    default: return Outcome::silent;
  }
}

// Flips `count` bits, one at a time, spread over the file with this name; counts what comes of them.
std::map<Outcome, int> flip_bits(World& world, const std::string& name, std::size_t count) {
  auto expected = world.rows(0);
  world.node(0).crash(SimNode::Crash::plain);
  auto files = world.node(0).disk().files();
  std::map<Outcome, int> outcomes;
  for (std::size_t i = 0; i < count; ++i) {
    auto damaged = files;
    std::string& content = damaged[name];
    std::size_t bit = content.size() * 8 / count * i + i % 8;
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
    ++outcomes[outcome_of(world, damaged, expected)];
  }
  ::testing::Test::RecordProperty("reported", outcomes[Outcome::reported]);
  ::testing::Test::RecordProperty("stopped", outcomes[Outcome::stopped]);
  ::testing::Test::RecordProperty("silent", outcomes[Outcome::silent]);
  return outcomes;
}

// SQLite has no checksums in its file: damage to its structure is seen, damage to what an item says is
// not.  docs/SIMULATION.md has the figures; comparing regions finds the rest.
TEST(DiskScenario, ABitFlipInTheStoreIsMostlyNoticed) {
  Shape shape = plain_shape(24, 2);
  shape.wal_checkpoint_pages = 1;
  World world(shape, nullptr);
  for (int round = 0; round < 6; ++round) {
    write_keys(world, 0, 0, 40);
    world.run_for(300);
  }
  auto outcomes = flip_bits(world, "/store.db", 400);
  EXPECT_GT(outcomes[Outcome::reported] + outcomes[Outcome::stopped], 0);
}

// The WAL has checksums: a damaged frame ends it, and what was committed behind it is not there.
TEST(DiskScenario, ABitFlipInTheWalIsNeverServed) {
  World world(plain_shape(25, 2), nullptr);
  for (int round = 0; round < 6; ++round) {
    write_keys(world, 0, 0, 40);
    world.run_for(300);
  }
  flip_bits(world, "/store.db-wal", 200);
}

// S5: a log that was restored from a backup is another log: what follows in it must not be taken for
// what the peers have missed, nor what it has lost be missing for ever.
TEST(DiskScenario, ARestoredLogIsNoticedAndMended) {
  Shape shape = plain_shape(12, 2);
  for (auto& region : shape.regions) region.shards = 1;
  World world(shape, nullptr);
  auto write_some = [&world](std::uint32_t count) {
    for (std::uint32_t key = 0; key < count; ++key) world.workload().write(0, key, WriteKind::put);
    world.run_for(1'000);
  };
  write_some(5);
  world.faults().copy_store(0);
  write_some(20);
  ASSERT_TRUE(world.at_rest());
  world.faults().restore_store(0, 0);
  world.run_for(1);
  write_some(10);
  world.run_for(10'000);
  EXPECT_GT(world.repairer(0).repairs() + world.repairer(1).repairs(), 0U);
  EXPECT_TRUE(image_at(world, 0, 15).has_value());  // that only the other still held
  finish(world);
}

}  // namespace
}  // namespace meridian::sim
