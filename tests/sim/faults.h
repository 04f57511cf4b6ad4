// Faults: breaks a world as its events say, and puts it right again.
//
// What has been broken is mended after a while, and all of it by heal().
// Threads: one.  Borrows: everything it is made with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "tests/sim/script.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class Faults {
 public:
  // `replicators`: one of each region, then perhaps a second of each.  `disks`: of the replicators.
  // `started`: told of each node that comes up; `forgot`: before that, if it has lost what it held, or
  // some of it.
  Faults(Outside& outside, std::vector<std::unique_ptr<SimClock>>& clocks,
         std::vector<std::unique_ptr<SimReplicator>>& replicators,
         std::vector<std::unique_ptr<SimDisk>>& disks, std::function<void(std::size_t)> started,
         std::function<void(std::size_t)> forgot);

  // Until heal().
  void begin() { healed_ = false; }
  // A fault.  After heal(), processes that die come back at once, and nothing else happens.
  void run(const Event& event);
  // Links joined, clocks right, disks sound, everything running.
  void heal();

  // Each mends itself after a while, unless it is for ever (0: at once).
  void crash_node(std::size_t region, SimNode::Crash kind, std::int64_t down_us);
  void crash_replicator(std::size_t region, std::int64_t down_us);
  void cut(std::size_t from, std::size_t to, std::int64_t for_us);
  void pause(std::size_t from, std::size_t to, std::int64_t for_us);
  void step_clock(std::size_t region, std::int64_t by_us, std::int64_t for_us);
  void start_node(std::size_t region);
  // A copy of a region's data directory, and that copy in place of what came after.
  void copy_store(std::size_t region);
  void restore_store(std::size_t region, std::int64_t down_us);
  // The data directory is gone; nothing happens while nobody else has all of the tables.
  enum class Checkpoints { kept, lost_too };
  void lose_store(std::size_t region, std::int64_t down_us, Checkpoints checkpoints);
  // How often that has happened.
  [[nodiscard]] std::size_t stores_lost() const { return stores_lost_; }
  [[nodiscard]] std::size_t stores_restored() const { return stores_restored_; }

 private:
  void run_aftershock(const Event& event);
  void crash_worker(std::size_t region, std::int64_t down_us);
  // Those of a region that run.
  std::vector<SimReplicator*> workers_of(std::size_t region);
  void stop_replicator(std::size_t region, std::int64_t down_us);
  void reboot(const Event& event);
  void twin(std::size_t region, std::int64_t for_us);
  void fill_disk(std::size_t region, std::int64_t for_us);
  void fail_disk(const Event& event);
  void damage_checkpoints(const Event& event);
  void watch_disk(std::size_t region);
  void end_twin(std::size_t region);
  void replace_store(std::size_t region, std::int64_t down_us, const SimDisk::Files& files);
  [[nodiscard]] bool has_tables(std::size_t region) const;
  [[nodiscard]] bool whole_elsewhere(std::size_t region) const;
  // As Outside's queue, but does nothing once healed.
  void later(std::int64_t delay_us, std::function<void()> action);

  Outside& outside_;
  std::vector<std::unique_ptr<SimClock>>& clocks_;
  std::vector<std::unique_ptr<SimReplicator>>& replicators_;
  std::vector<std::unique_ptr<SimDisk>>& disks_;
  std::function<void(std::size_t)> started_;
  std::function<void(std::size_t)> forgot_;
  std::set<std::size_t> forgetting_;  // their next start is with another file
  std::vector<std::unique_ptr<SimReplicator>> twins_;  // by region, while they run
  bool healed_ = true;
  std::map<std::size_t, SimDisk::Files> copies_;  // by region
  std::size_t stores_lost_ = 0;
  std::size_t stores_restored_ = 0;
};

}  // namespace meridian::sim
