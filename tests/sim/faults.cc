#include "tests/sim/faults.h"

namespace meridian::sim {

Faults::Faults(Outside& outside, std::vector<std::unique_ptr<SimClock>>& clocks,
               std::vector<std::unique_ptr<SimReplicator>>& replicators,
               std::function<void(std::size_t)> started, Rng rng)
    : outside_(outside),
      clocks_(clocks),
      replicators_(replicators),
      started_(std::move(started)),
      rng_(rng),
      twins_(clocks.size()) {}

void Faults::later(std::int64_t delay_us, std::function<void()> action) {
  outside_.queue.after(delay_us, [this, action = std::move(action)] {
    if (!healed_) action();
  });
}

void Faults::plan(unsigned count, std::int64_t until_us, Fault fault) {
  for (unsigned i = 0; i < count; ++i)
    later(rng_.between(0, until_us - outside_.queue.now_us()), [this, fault] { (this->*fault)(); });
}

void Faults::plan(std::int64_t until_us) {
  healed_ = false;
  const FaultShape& faults = outside_.shape.faults;
  plan(faults.node_crashes, until_us, &Faults::some_node_crash);
  plan(faults.replicator_crashes, until_us, &Faults::some_replicator_crash);
  plan(faults.partitions, until_us, &Faults::some_partition);
  plan(faults.flaps, until_us, &Faults::some_flapping);
  plan(faults.clock_steps, until_us, &Faults::some_clock_step);
  plan(faults.full_disks, until_us, &Faults::some_full_disk);
  plan(faults.twins, until_us, &Faults::some_twin);
}

void Faults::heal() {
  healed_ = true;
  outside_.network.heal();
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region) {
    clocks_[region]->set_right(rng_.between(-100'000, 100'000));
    SimNode& node = *outside_.nodes[region];
    if (node.up() && node.disk_is_full()) node.crash(SimNode::Crash::plain);
    if (!node.up()) start_node(region);
    if (!replicators_[region]->up()) replicators_[region]->start();
    if (twins_[region]) twins_[region]->crash();
    twins_[region].reset();
  }
}

void Faults::aftershock() {
  std::size_t region = some_region();
  if (rng_.percent(50)) {
    replicators_[region]->crash();
    replicators_[region]->start();
    return;
  }
  outside_.nodes[region]->crash(rng_.percent(50) ? SimNode::Crash::after_commit
                                                 : SimNode::Crash::plain);
  start_node(region);
}

void Faults::start_node(std::size_t region, StoreHost::Disk disk) {
  outside_.nodes[region]->start(disk);
  started_(region);
  if (replicators_[region]->up()) replicators_[region]->node_up();
}

void Faults::crash_node(std::size_t region, SimNode::Crash kind, std::int64_t down_us) {
  if (!outside_.nodes[region]->up()) return;
  outside_.nodes[region]->crash(kind);
  later(down_us, [this, region] {
    if (!outside_.nodes[region]->up()) start_node(region);
  });
}

void Faults::crash_replicator(std::size_t region, std::int64_t down_us) {
  if (!replicators_[region]->up()) return;
  if (rng_.percent(30)) {
    replicators_[region]->stop();
  } else {
    replicators_[region]->crash();
  }
  later(down_us, [this, region] {
    if (!replicators_[region]->up()) replicators_[region]->start();
  });
}

void Faults::cut(std::size_t from, std::size_t to, std::int64_t for_us) {
  if (from == to) return;
  outside_.network.cut(from, to);
  later(for_us, [this, from, to] {
    outside_.network.join(from, to);
    if (replicators_[from]->up()) replicators_[from]->link_up(to);
  });
}

void Faults::step_clock(std::size_t region, std::int64_t by_us, std::int64_t for_us) {
  clocks_[region]->step(by_us);
  outside_.trace.note("clock {} steps {} us", region, by_us);
  later(for_us, [this, region, by_us] {
    clocks_[region]->step(-by_us);
    outside_.trace.note("clock {} steps back", region);
  });
}

void Faults::some_node_crash() {
  std::size_t region = some_region();
  if (!outside_.nodes[region]->up()) return;
  auto kind = rng_.percent(40) ? SimNode::Crash::after_commit : SimNode::Crash::plain;
  std::int64_t down_us = rng_.between(1'000, outside_.shape.faults.down_ms_max * 1'000);
  bool reboot = outside_.shape.faults.reboots && rng_.percent(50);
  // The whole machine: its replicator goes too, and its clock may come back wrong, unnoticed.
  if (reboot && replicators_[region]->up()) crash_replicator(region, down_us + 10'000);
  crash_node(region, kind, down_us);
  if (!reboot) return;
  clocks_[region]->reboot();
  if (rng_.percent(50))
    clocks_[region]->step(rng_.between(-outside_.shape.faults.step_ms_max * 1'000,
                                       outside_.shape.faults.step_ms_max * 1'000));
  outside_.trace.note("machine {} reboots, clock ahead {} us", region, clocks_[region]->ahead_us());
}

void Faults::some_replicator_crash() {
  std::size_t region = some_region();
  crash_replicator(region, rng_.between(1'000, outside_.shape.faults.down_ms_max * 1'000));
}

void Faults::some_partition() {
  std::size_t region = some_region();
  std::int64_t for_us = rng_.between(50'000, outside_.shape.faults.cut_ms_max * 1'000);
  bool both_ways = rng_.percent(60);
  bool outwards = rng_.percent(50);
  bool alone = rng_.percent(50);
  std::size_t other = some_region();
  for (std::size_t peer = 0; peer < outside_.nodes.size(); ++peer) {
    if (!alone && peer != other) continue;
    if (both_ways || outwards) cut(region, peer, for_us);
    if (both_ways || !outwards) cut(peer, region, for_us);
  }
}

void Faults::some_flapping() {
  std::size_t from = some_region();
  std::size_t to = some_region();
  std::int64_t at_us = 0;
  for (std::int64_t turns = rng_.between(4, 12); turns > 0; --turns) {
    std::int64_t for_us = rng_.between(20'000, 250'000);
    later(at_us, [this, from, to, for_us] { cut(from, to, for_us); });
    at_us += for_us + rng_.between(20'000, 250'000);
  }
}

void Faults::some_full_disk() {
  std::size_t region = some_region();
  SimNode& node = *outside_.nodes[region];
  if (!node.up()) return;
  node.crash(SimNode::Crash::plain);
  start_node(region, StoreHost::Disk::full);
  later(rng_.between(200'000, outside_.shape.faults.down_ms_max * 1'000 + 200'000),
        [this, region, start = node.starts()] {
          if (outside_.nodes[region]->starts() == start)
            crash_node(region, SimNode::Crash::plain, 1'000);
        });
}

void Faults::some_twin() {
  std::size_t region = some_region();
  if (twins_[region]) return;
  twins_[region] = std::make_unique<SimReplicator>(region, outside_, Rng(rng_.next()));
  twins_[region]->start();
  later(rng_.between(100'000, 2'000'000), [this, region] {
    twins_[region]->crash();
    twins_[region].reset();
  });
}

void Faults::some_clock_step() {
  static constexpr std::int64_t kSmallUs = 400'000;
  std::int64_t most = rng_.percent(40) ? kSmallUs : outside_.shape.faults.step_ms_max * 1'000;
  step_clock(some_region(), rng_.between(-most, most), rng_.between(100'000, 3'000'000));
}

}  // namespace meridian::sim
