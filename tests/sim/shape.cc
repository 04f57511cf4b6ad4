#include "tests/sim/shape.h"

#include "common/rng.h"
#include "tests/sim/derived.h"

namespace meridian::sim {
namespace {

void draw_clocks(Rng& rng, Shape& shape) {
  // Exact clocks make equal versions likely; the others make orders differ from true time.
  bool exact = rng.percent(45);
  for (auto& region : shape.regions) {
    region.shards = static_cast<std::uint16_t>(rng.between(1, 3));
    if (!exact) {
      region.clock_offset_us = rng.between(-240'000, 240'000);
      region.clock_drift_ppm = rng.between(-300, 300);
    }
    if (rng.percent(10)) region.stall_percent = 1;
    if (!exact || rng.percent(20)) region.commit_us_max = rng.percent(70) ? 900 : 30'000;
  }
}

void draw_links(Rng& rng, Shape& shape) {
  bool lossy = rng.percent(50);
  bool doubling = rng.percent(50);
  bool unordered = rng.percent(35);
  bool slow = rng.percent(20);
  for (auto& link : shape.links) {
    link.delay_us = rng.between(1'000, slow ? 300'000 : 80'000);
    link.jitter_us = rng.between(0, link.delay_us / 2);
    if (lossy) link.loss_percent = static_cast<unsigned>(rng.below(8));
    if (doubling) link.duplicate_percent = static_cast<unsigned>(rng.below(25));
    if (unordered) link.reorder_percent = static_cast<unsigned>(rng.below(40));
    if (rng.percent(30)) link.tail_percent = static_cast<unsigned>(rng.below(10));
  }
}

// What a run's load is like; each drawn by itself, so that seeds are about different things.
void draw_load(Rng& rng, Shape& shape) {
  static constexpr std::uint32_t kKeys[] = {2, 8, 30, 60};
  LoadShape& load = shape.load;
  load.keys = kKeys[rng.below(4)];
  load.hot_percent = rng.percent(40) ? static_cast<std::uint32_t>(rng.below(80)) : 0;
  load.clients = static_cast<std::uint32_t>(rng.between(1, 3));
  load.think_us_max = rng.between(15'000, 90'000);
  load.bursts = static_cast<std::uint32_t>(rng.below(30));
  load.remove_percent = static_cast<unsigned>(rng.between(5, 40));
  load.append_percent = static_cast<unsigned>(rng.below(30));
  load.insert_percent = static_cast<unsigned>(rng.below(15));
  load.same_percent = static_cast<unsigned>(rng.below(15));
  if (rng.percent(10)) load.remove_percent = 75;  // hardly anything but deletes
  if (rng.percent(10)) load.same_percent = 60;    // hardly anything that changes
  if (rng.percent(15)) shape.tables = static_cast<std::uint32_t>(rng.between(2, 6));
  if (rng.percent(15)) {  // batches are cut by bytes
    load.large_percent = 60;
    load.bytes_max = 8'000;
  }
  if (rng.percent(6)) {  // items as large as they may be
    load.large_percent = 70;
    load.bytes_max = 390'000;
    load.writes_max = 14;
    load.keys = 4;
    load.think_us_max = 400'000;
    load.bursts = 1;
  }
  if (rng.percent(8)) load.writes_max = static_cast<std::uint32_t>(rng.between(15, 20));  // tiny
}

// Each kind of fault is left out of about half of all seeds: what is always there hides what else can
// happen.
void draw_faults(Rng& rng, FaultShape& faults) {
  auto some = [&rng](unsigned chance, unsigned most) {
    return rng.percent(chance) ? static_cast<unsigned>(1 + rng.below(most)) : 0;
  };
  faults.node_crashes = some(60, 6);
  faults.replicator_crashes = some(60, 8);
  faults.partitions = some(60, 4);
  faults.flaps = some(25, 2);
  faults.clock_steps = some(35, 4);
  faults.full_disks = some(20, 2);
  faults.disk_faults = some(50, 6);
  faults.twins = some(20, 3);
  faults.control_steps = some(40, 24);
  faults.aftershocks = some(50, 5);
  faults.power_cuts = rng.percent(50);
  faults.reboots = rng.percent(30);
  faults.poisons = some(25, 5);
  faults.down_ms_max = rng.between(100, 2'500);
  faults.cut_ms_max = rng.between(200, 4'000);
}

// A few seeds get everything at once, and links that hardly work.
void make_rough(Rng& rng, Shape& shape) {
  for (auto& link : shape.links) {
    link.loss_percent = static_cast<unsigned>(rng.below(25));
    link.duplicate_percent = static_cast<unsigned>(rng.below(50));
    link.reorder_percent = static_cast<unsigned>(rng.below(60));
    link.tail_percent = static_cast<unsigned>(rng.below(20));
  }
  for (auto& region : shape.regions) region.stall_percent = 1;
  auto& faults = shape.faults;
  for (unsigned* count :
       {&faults.node_crashes, &faults.replicator_crashes, &faults.partitions, &faults.flaps,
        &faults.clock_steps, &faults.full_disks, &faults.disk_faults, &faults.twins,
        &faults.aftershocks})
    *count += static_cast<unsigned>(1 + rng.below(4));
  faults.power_cuts = true;
  faults.reboots = true;
}

void draw_limits(Rng& rng, Shape& shape) {
  static constexpr std::size_t kRecords[] = {1, 3, 16, 512};
  auto& pump = shape.pump;
  pump.batch_records_max = kRecords[rng.below(4)];
  pump.window_batches_max = static_cast<std::size_t>(rng.between(1, 8));
  if (rng.percent(25)) pump.batch_bytes_max = 256;
  if (rng.percent(25)) pump.window_bytes_max = 1'024;
  pump.save_interval_ms = rng.between(0, 500);
  pump.idle_advance_ms = rng.between(200, 1'000);
  pump.backoff_ms_max = rng.between(200, 3'000);
  static constexpr int kWalPages[] = {4, 30, 200, 1000};
  shape.wal_checkpoint_pages = kWalPages[rng.below(4)];
  shape.request_deadline_ms = rng.between(1'000, 3'000);
  if (rng.percent(30)) shape.stream_rollover_ms = rng.between(300, 3'000);
  if (rng.percent(15)) shape.retention_ms = rng.between(300, 3'000);
  if (rng.percent(8))
    shape.unacknowledged_bytes_max = static_cast<std::uint64_t>(rng.between(4'000, 40'000));
}

// Drawn by themselves, so that what else a seed is like does not depend on them.
void draw_lives(Shape& shape) {
  Rng rng = derived(shape.seed, Luck::lives, {0});
  auto some = [&rng] { return rng.percent(15) ? static_cast<unsigned>(rng.between(1, 2)) : 0; };
  shape.faults.old_copies = some();
  shape.faults.lost_stores = some();
}

}  // namespace

Shape plain_shape(std::uint64_t seed, std::size_t regions) {
  Shape shape;
  shape.seed = seed;
  shape.regions.resize(regions);
  shape.links.resize(regions * regions);
  return shape;
}

Shape draw_shape(std::uint64_t seed, std::size_t regions) {
  Rng rng(seed ^ 0x5eedULL << 48);
  std::size_t drawn = rng.percent(60) ? 3 : static_cast<std::size_t>(rng.between(4, 5));
  Shape shape = plain_shape(seed, regions == 0 ? drawn : regions);
  draw_clocks(rng, shape);
  draw_links(rng, shape);
  draw_load(rng, shape);
  draw_faults(rng, shape.faults);
  draw_limits(rng, shape);
  if (rng.percent(12)) make_rough(rng, shape);
  shape.storm_ms = rng.between(3'000, 7'000);
  if (rng.percent(40)) shape.workers = 2;
  if (rng.percent(30)) shape.joins = 1;
  if (rng.percent(25)) shape.pump.collapse_backlog = true;
  if (rng.percent(25)) shape.faults.pauses = static_cast<unsigned>(rng.between(1, 4));
  if (rng.percent(70)) shape.faults.drains = static_cast<unsigned>(rng.between(1, 12));
  if (rng.percent(70)) shape.tombstone_retention_ms = rng.between(0, 1'500);
  draw_lives(shape);
  return shape;
}

}  // namespace meridian::sim
