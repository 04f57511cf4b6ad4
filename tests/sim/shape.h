// Shape: everything about a run that is drawn before it begins: topology, clocks, links, load, faults
// and the limits of store and pump.  A pure function of the seed; scenarios start from a plain shape
// and set what they are about.  Load and faults say what events are drawn (plan.cc); the rest is part
// of a script.
#pragma once

#include <cstdint>
#include <vector>

#include "replicator/core/pump.h"
#include "tests/sim/network.h"

namespace meridian::sim {

inline constexpr std::int64_t kStallUsMax = 3'000'000;

struct RegionShape {
  std::uint16_t shards = 2;
  std::int64_t clock_offset_us = 0;
  std::int64_t clock_drift_ppm = 0;
  std::int64_t commit_us_min = 100;  // from submission to commit
  std::int64_t commit_us_max = 600;
  unsigned stall_percent = 0;  // commits that take up to kStallUsMax
};

struct LoadShape {
  std::uint32_t keys = 40;
  std::uint32_t hot_percent = 0;  // chance that a write goes to key 0
  std::uint32_t clients = 2;      // per region, one write at a time each
  std::int64_t think_us_max = 40'000;
  std::uint32_t bursts = 10;  // moments at which every region writes the same key
  // Out of 100; the rest are plain puts.
  unsigned remove_percent = 20;
  unsigned append_percent = 20;
  unsigned insert_percent = 8;  // put if absent
  unsigned same_percent = 8;    // the same value again
  unsigned large_percent = 0;   // writes of bytes_max / 2 to bytes_max more than others
  std::int64_t bytes_max = 0;
  std::uint32_t writes_max = UINT32_MAX;  // per client
};

struct FaultShape {
  unsigned node_crashes = 0;
  unsigned replicator_crashes = 0;
  unsigned partitions = 0;
  unsigned flaps = 0;
  unsigned pauses = 0;  // of links, on purpose
  unsigned clock_steps = 0;
  unsigned full_disks = 0;   // no file grows for a while
  unsigned disk_faults = 0;  // a write or sync that fails, a torn write, power lost in the middle of one
  unsigned twins = 0;        // a second replicator runs for a while: the old one was not dead
  unsigned poisons = 0;        // records that no other region can apply
  unsigned control_steps = 0;  // tables made, changed, dropped
  unsigned drains = 0;         // asked for, in storm and calm
  unsigned lost_stores = 0;    // data directories that are lost
  unsigned old_copies = 0;     // that are restored from an older copy
  unsigned aftershocks = 0;    // processes that die and come back at once while all comes to rest
  std::int64_t down_ms_max = 2'000;
  std::int64_t cut_ms_max = 3'000;
  std::int64_t step_ms_max = 4'000;
  bool power_cuts = false;  // a crash may lose what was not synced
  bool reboots = false;     // a crash may take the machine, and its clocks, along
};

struct Shape {
  std::uint64_t seed = 0;
  std::uint32_t tables = 1;   // key k is in table k % tables
  std::uint32_t workers = 1;  // replicators of each region: 1 or 2
  std::vector<RegionShape> regions;
  std::vector<LinkShape> links;  // from * regions + to
  LoadShape load;
  FaultShape faults;
  replicator::PumpLimits pump{.recheck_ms = 5'000};  // (a run is short)
  std::int64_t request_deadline_ms = 2'000;
  std::int64_t stream_rollover_ms = 4LL * 3600 * 1000;
  std::int64_t retention_ms = 24LL * 3600 * 1000;
  std::uint64_t unacknowledged_bytes_max = 16ULL << 30;
  // Tombstones are kept for so long at least; by default for ever, as far as a run is concerned.
  std::int64_t tombstone_retention_ms = 24LL * 3600 * 1000;
  // How long a region is down before the others trade what they hold of it; 0: they never do.
  std::int64_t survivors_after_ms = 0;
  int wal_checkpoint_pages = 1000;
  std::int64_t storm_ms = 6'000;
  unsigned joins = 0;  // 1: the last region has no replica at first, and gets one during the storm

  // Logs lose their oldest records during the run; what reads a whole log must then do without.
  [[nodiscard]] bool trims() const { return retention_ms < 600'000; }
  // Tombstones are collected during the run.
  [[nodiscard]] bool collects() const { return tombstone_retention_ms < 600'000; }
  [[nodiscard]] LinkShape& link(std::size_t from, std::size_t to) {
    return links[from * regions.size() + to];
  }
};

// No faults, good links, right clocks.
Shape plain_shape(std::uint64_t seed, std::size_t regions);

// `regions` 0: drawn too, 3 to 5.
Shape draw_shape(std::uint64_t seed, std::size_t regions);

}  // namespace meridian::sim
