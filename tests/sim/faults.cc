#include "tests/sim/faults.h"

#include <algorithm>

#include "common/check.h"

namespace meridian::sim {
namespace {

// Whoever watches over a node restarts it when it has refused writes for so long.
constexpr std::int64_t kPatienceUs = 400'000;
constexpr std::int64_t kStartAgainUs = 50'000;

std::size_t index(std::int64_t number) { return static_cast<std::size_t>(number); }

}  // namespace

Faults::Faults(Outside& outside, std::vector<std::unique_ptr<SimClock>>& clocks,
               std::vector<std::unique_ptr<SimReplicator>>& replicators,
               std::vector<std::unique_ptr<SimDisk>>& disks,
               std::function<void(std::size_t)> started,
               std::function<void(std::size_t)> forgot)
    : outside_(outside),
      clocks_(clocks),
      replicators_(replicators),
      disks_(disks),
      started_(std::move(started)),
      forgot_(std::move(forgot)),
      twins_(clocks.size()) {}

void Faults::later(std::int64_t delay_us, std::function<void()> action) {
  outside_.queue.after(delay_us, [this, action = std::move(action)] {
    if (!healed_) action();
  });
}

void Faults::run(const Event& event) {
  if (event.region() >= outside_.nodes.size()) return;
  if (healed_) return run_aftershock(event);
  const auto& args = event.args;
  switch (event.kind) {
    case EventKind::crash_node:
      return crash_node(event.region(), static_cast<SimNode::Crash>(args[2]), args[1]);
    case EventKind::crash_replicator: return crash_replicator(event.region(), args[1]);
    case EventKind::stop_replicator: return stop_replicator(event.region(), args[1]);
    case EventKind::crash_worker: return crash_worker(event.region(), args[1]);
    case EventKind::reboot: return reboot(event);
    case EventKind::twin: return twin(event.region(), args[1]);
    case EventKind::cut: return cut(event.region(), index(args[1]), args[2]);
    case EventKind::pause: return pause(event.region(), index(args[1]), args[2]);
    case EventKind::step_clock: return step_clock(event.region(), args[1], args[2]);
    case EventKind::disk_full: return fill_disk(event.region(), args[1]);
    case EventKind::disk_fault: return fail_disk(event);
    case EventKind::damage: return damage_checkpoints(event);
    case EventKind::copy_store: return copy_store(event.region());
    case EventKind::restore_store: return restore_store(event.region(), args[1]);
    case EventKind::lose_store:
      return lose_store(event.region(), args[1],
                        args[2] == 0 ? Checkpoints::kept : Checkpoints::lost_too);
    default: return;
  }
}

void Faults::run_aftershock(const Event& event) {
  if (event.kind == EventKind::crash_replicator) {
    replicators_[event.region()]->crash();
    replicators_[event.region()]->start();
  } else if (event.kind == EventKind::crash_node) {
    outside_.nodes[event.region()]->crash(static_cast<SimNode::Crash>(event.args[2]));
    start_node(event.region());
  }
}

void Faults::heal() {
  healed_ = true;
  outside_.network.heal();
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region) {
    Rng rng = derived(outside_.shape.seed, Luck::clock, {region});
    clocks_[region]->set_right(rng.between(-100'000, 100'000));
    SimNode& node = *outside_.nodes[region];
    node.disk().disarm();
    node.disk().set_full(false);
    disks_[region]->disarm();
    if (node.up() && !node.store().health().accepts_writes) node.crash(SimNode::Crash::plain);
    if (!node.up()) start_node(region);
    end_twin(region);
    if (!replicators_[region]->up()) replicators_[region]->start();
  }
}

std::vector<SimReplicator*> Faults::workers_of(std::size_t region) {
  std::vector<SimReplicator*> out;
  for (std::size_t i = region; i < replicators_.size(); i += outside_.nodes.size())
    if (replicators_[i]->up()) out.push_back(replicators_[i].get());
  return out;
}

void Faults::start_node(std::size_t region) {
  SimNode& node = *outside_.nodes[region];
  node.start();
  if (!node.up()) {  // its disk failed once more
    MERIDIAN_CHECK(!healed_);
    return later(kStartAgainUs, [this, region] {
      if (!outside_.nodes[region]->up()) start_node(region);
    });
  }
  if (forgetting_.erase(region) > 0) {
    if (outside_.node_ids[region] != node.node_id()) {
      outside_.node_ids[region] = node.node_id();
      for (auto* worker : workers_of(region)) worker->own_node_changed();
    }
    forgot_(region);
  }
  started_(region);
  for (auto* worker : workers_of(region)) worker->node_up();
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
  replicators_[region]->crash();
  later(down_us, [this, region] {
    if (!replicators_[region]->up()) replicators_[region]->start();
  });
}

// The region's second worker; without an end it never comes back.
void Faults::crash_worker(std::size_t region, std::int64_t down_us) {
  std::size_t second = region + outside_.nodes.size();
  if (second >= replicators_.size() || !replicators_[second]->up()) return;
  replicators_[second]->crash();
  if (down_us == 0) return;
  later(down_us, [this, second] {
    if (!replicators_[second]->up()) replicators_[second]->start();
  });
}

void Faults::stop_replicator(std::size_t region, std::int64_t down_us) {
  if (!replicators_[region]->up()) return;
  replicators_[region]->stop();
  later(down_us, [this, region] {
    if (!replicators_[region]->up()) replicators_[region]->start();
  });
}

// The whole machine: its replicator goes too, and its clock may come back wrong, unnoticed.
void Faults::reboot(const Event& event) {
  std::size_t region = event.region();
  if (!outside_.nodes[region]->up()) return;
  std::int64_t down_us = event.args[1];
  end_twin(region);
  crash_replicator(region, down_us + 10'000);
  crash_worker(region, down_us + 20'000);
  if (workers_of(region).empty()) disks_[region]->revive(SimDisk::Loss::unsynced);
  crash_node(region, SimNode::Crash::power, down_us);
  clocks_[region]->reboot();
  clocks_[region]->step(event.args[2]);
  outside_.trace.note("machine {} reboots, clock ahead {} us", region, clocks_[region]->ahead_us());
}

void Faults::cut(std::size_t from, std::size_t to, std::int64_t for_us) {
  if (from == to || to >= outside_.nodes.size()) return;
  outside_.network.cut(from, to);
  later(for_us, [this, from, to] {
    outside_.network.join(from, to);
    for (auto* worker : workers_of(from)) worker->link_up(to);
  });
}

void Faults::pause(std::size_t from, std::size_t to, std::int64_t for_us) {
  if (from == to || to >= outside_.nodes.size()) return;
  outside_.network.pause(from, to);
  later(for_us, [this, from, to] { outside_.network.resume(from, to); });
}

void Faults::step_clock(std::size_t region, std::int64_t by_us, std::int64_t for_us) {
  clocks_[region]->step(by_us);
  outside_.trace.note("clock {} steps {} us", region, by_us);
  later(for_us, [this, region, by_us] {
    clocks_[region]->step(-by_us);
    outside_.trace.note("clock {} steps back", region);
  });
}

void Faults::end_twin(std::size_t region) {
  if (!twins_[region]) return;
  twins_[region]->crash();
  twins_[region].reset();
}

void Faults::twin(std::size_t region, std::int64_t for_us) {
  if (twins_[region]) return;
  auto luck = luck_of(outside_.queue.now_us());
  twins_[region] = std::make_unique<SimReplicator>(region, outside_, *disks_[region], luck,
                                                    SimReplicator::Leases::deaf);
  twins_[region]->start();
  later(for_us, [this, region] { end_twin(region); });
}

// It has room again after a while, and the node goes on by itself.
void Faults::fill_disk(std::size_t region, std::int64_t for_us) {
  outside_.nodes[region]->disk().set_full(true);
  outside_.trace.note("disk {} is full", region);
  later(for_us, [this, region] {
    outside_.nodes[region]->disk().set_full(false);
    outside_.trace.note("disk {} has room", region);
  });
}

void Faults::fail_disk(const Event& event) {
  std::size_t region = event.region();
  auto nth = static_cast<std::uint32_t>(event.args[2]);
  outside_.nodes[region]->disk().arm(static_cast<DiskFault>(event.args[1]), nth);
  outside_.trace.note("disk {} will fail, kind {} at {}", region, event.args[1], nth);
  outside_.nodes[region]->on_death([this, region, down_us = event.args[3]] {
    later(down_us, [this, region] {
      if (!outside_.nodes[region]->up()) start_node(region);
    });
  });
  watch_disk(region);
}

// A node that a failed disk has stopped is restarted, by its supervisor: the process, not the machine.
void Faults::watch_disk(std::size_t region) {
  later(kPatienceUs, [this, region] {
    SimNode& node = *outside_.nodes[region];
    bool stopped = node.up() && !node.disk().full() && !node.store().health().accepts_writes;
    if (stopped) crash_node(region, SimNode::Crash::plain, kStartAgainUs);
    watch_disk(region);
  });
}

void Faults::copy_store(std::size_t region) {
  if (!has_tables(region)) return;
  copies_[region] = outside_.nodes[region]->disk().files();
}

void Faults::restore_store(std::size_t region, std::int64_t down_us) {
  auto copy = copies_.find(region);
  if (copy == copies_.end()) return;
  outside_.trace.note("node {} is restored from a copy", region);
  ++stores_restored_;
  replace_store(region, down_us, copy->second);
}

// Its disk, and perhaps that of its replicators.
void Faults::lose_store(std::size_t region, std::int64_t down_us, Checkpoints checkpoints) {
  if (!has_tables(region) || !whole_elsewhere(region)) return;
  outside_.trace.note("node {} has lost its data directory", region);
  copies_.erase(region);
  ++stores_lost_;
  if (checkpoints == Checkpoints::lost_too) {
    end_twin(region);
    for (std::size_t i = region; i < replicators_.size(); i += outside_.nodes.size()) {
      if (!replicators_[i]->up()) continue;
      replicators_[i]->crash();
      later(down_us, [this, i] {
        if (!replicators_[i]->up()) replicators_[i]->start();
      });
    }
    for (const auto& [name, content] : disks_[region]->files()) disks_[region]->remove(name, true);
  }
  replace_store(region, down_us, {});
}

void Faults::replace_store(std::size_t region, std::int64_t down_us,
                           const SimDisk::Files& files) {
  outside_.forgetful.insert(region);
  forgetting_.insert(region);
  if (outside_.nodes[region]->up()) outside_.nodes[region]->crash(SimNode::Crash::plain);
  outside_.nodes[region]->disk().set_files(files);
  outside_.queue.after(down_us, [this, region] {
    if (!outside_.nodes[region]->up()) start_node(region);
  });
}

bool Faults::has_tables(std::size_t region) const {
  SimNode& node = *outside_.nodes[region];
  return node.up() && std::all_of(outside_.tables.begin(), outside_.tables.end(),
                                  [&node](const TableId& id) {
                                    return node.store().catalog()->find(id) != nullptr;
                                  });
}

// Some other region that is up has all of each table that this one may have.
bool Faults::whole_elsewhere(std::size_t region) const {
  for (const TableId& id : outside_.tables) {
    bool whole = false;
    for (std::size_t other = 0; other < outside_.nodes.size(); ++other) {
      SimNode& node = *outside_.nodes[other];
      if (other == region || !node.up()) continue;
      auto info = node.store().catalog()->find(id);
      whole = whole || (info && info->is_whole(node.region()) && !info->frozen());
    }
    if (!whole) return false;
  }
  return true;
}

void Faults::damage_checkpoints(const Event& event) {
  std::size_t region = event.region();
  if (!workers_of(region).empty() || twins_[region]) return;
  auto files = disks_[region]->files();
  for (auto& [name, content] : files) {
    if (content.empty()) continue;
    auto bit = static_cast<std::size_t>(event.args[1]) % (content.size() * 8);
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
  }
  disks_[region]->set_files(files);
  outside_.trace.note("checkpoints of {} damaged", region);
}

}  // namespace meridian::sim
