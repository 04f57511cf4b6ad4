// Faults: breaks a world on schedule, and puts it right again.
//
// Everything is planned when the storm begins, from the seed; what has been broken is mended after a
// while, and all of it by heal().
// Threads: one.  Borrows: everything it is made with.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/rng.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class Faults {
 public:
  Faults(Outside& outside, std::vector<std::unique_ptr<SimClock>>& clocks,
         std::vector<std::unique_ptr<SimReplicator>>& replicators,
         std::function<void(std::size_t)> started, Rng rng);

  void plan(std::int64_t until_us);
  // Links joined, clocks right, everything running; no fault afterwards.
  void heal();

  // A process dies and is started again at once.  After heal().
  void aftershock();

  // Each mends itself after a while, unless told otherwise.
  void crash_node(std::size_t region, SimNode::Crash kind, std::int64_t down_us);
  void crash_replicator(std::size_t region, std::int64_t down_us);
  void cut(std::size_t from, std::size_t to, std::int64_t for_us);
  void step_clock(std::size_t region, std::int64_t by_us, std::int64_t for_us);

 private:
  using Fault = void (Faults::*)();
  void plan(unsigned count, std::int64_t until_us, Fault fault);
  void some_node_crash();
  void some_replicator_crash();
  void some_partition();
  void some_flapping();
  void some_clock_step();
  void some_full_disk();
  void some_twin();
  void start_node(std::size_t region, StoreHost::Disk disk = StoreHost::Disk::roomy);
  // As Outside's queue, but does nothing once healed.
  void later(std::int64_t delay_us, std::function<void()> action);
  std::size_t some_region() { return rng_.below(outside_.nodes.size()); }

  Outside& outside_;
  std::vector<std::unique_ptr<SimClock>>& clocks_;
  std::vector<std::unique_ptr<SimReplicator>>& replicators_;
  std::function<void(std::size_t)> started_;
  Rng rng_;
  std::vector<std::unique_ptr<SimReplicator>> twins_;  // by region, while they run
  bool healed_ = true;
};

}  // namespace meridian::sim
