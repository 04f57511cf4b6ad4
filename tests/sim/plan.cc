// Draws the events of a run from what its shape asks for.
#include <algorithm>

#include "tests/sim/control_steps.h"
#include "tests/sim/derived.h"
#include "tests/sim/script.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_node.h"

namespace meridian::sim {
namespace {

class Planner {
 public:
  explicit Planner(const Shape& shape)
      : shape_(shape),
        rng_(derived(shape.seed, Luck::plan, {})),
        until_us_(shape.storm_ms * 1000) {}

  std::vector<Event> plan() {
    writes();
    bursts();
    const FaultShape& faults = shape_.faults;
    some(faults.node_crashes, &Planner::node_crash);
    some(faults.replicator_crashes, &Planner::replicator_crash);
    some(faults.partitions, &Planner::partition);
    some(faults.flaps, &Planner::flapping);
    some(faults.clock_steps, &Planner::clock_step);
    some(faults.full_disks, &Planner::full_disk);
    some(faults.disk_faults, &Planner::disk_fault);
    some(faults.twins, &Planner::twin);
    some(faults.control_steps, &Planner::control);
    some(faults.poisons, &Planner::poison);
    aftershocks();
    if (shape_.joins > 0)
      add(rng_.between(until_us_ / 10, until_us_ * 9 / 10), EventKind::join,
          {std::ssize(shape_.regions) - 1});
    some(faults.pauses, &Planner::pause);
    for (unsigned i = 0; i < faults.drains; ++i) drain(rng_.between(0, until_us_ * 5 / 4));
    lives();
    std::stable_sort(events_.begin(), events_.end(),
                     [](const Event& a, const Event& b) { return a.at_us < b.at_us; });
    return std::move(events_);
  }

 private:
  using Fault = void (Planner::*)(std::int64_t at_us);

  void add(std::int64_t at_us, EventKind kind, std::array<std::int64_t, Event::kArgs> args) {
    events_.push_back({at_us, kind, args});
  }
  void some(unsigned count, Fault fault) {
    for (unsigned i = 0; i < count; ++i) (this->*fault)(rng_.between(0, until_us_));
  }
  std::int64_t some_region() {
    return static_cast<std::int64_t>(rng_.below(shape_.regions.size()));
  }
  std::int64_t down_us() { return rng_.between(1'000, shape_.faults.down_ms_max * 1'000); }

  std::int64_t some_key() {
    if (rng_.percent(shape_.load.hot_percent)) return 0;
    return static_cast<std::int64_t>(rng_.below(shape_.load.keys));
  }

  EventKind some_kind() {
    const LoadShape& load = shape_.load;
    auto roll = static_cast<unsigned>(rng_.below(100));
    auto falls = [&roll](unsigned chance) {
      if (roll < chance) return true;
      roll -= chance;
      return false;
    };
    if (falls(load.remove_percent)) return EventKind::remove;
    if (falls(load.append_percent)) return EventKind::append;
    if (falls(load.insert_percent)) return EventKind::insert;
    if (falls(load.same_percent)) return EventKind::same;
    return EventKind::put;
  }

  std::int64_t some_bytes() {
    if (!rng_.percent(shape_.load.large_percent)) return 0;
    return rng_.between(shape_.load.bytes_max / 2, shape_.load.bytes_max);
  }

  void writes() {
    for (std::int64_t region = 0; region < std::ssize(shape_.regions); ++region) {
      for (std::uint32_t client = 0; client < shape_.load.clients; ++client) {
        std::int64_t at = rng_.between(0, shape_.load.think_us_max);
        for (std::uint32_t done = 0; at < until_us_ && done < shape_.load.writes_max; ++done) {
          EventKind kind = some_kind();
          std::int64_t bytes = kind == EventKind::remove || kind == EventKind::same ? 0
                                                                                     : some_bytes();
          add(at, kind, {region, some_key(), bytes});
          at += rng_.between(0, shape_.load.think_us_max);
        }
      }
    }
  }

  // Every region writes one key in the same millisecond.
  void bursts() {
    for (std::uint32_t i = 0; i < shape_.load.bursts; ++i) {
      std::int64_t at = rng_.between(1, shape_.storm_ms) * 1000;
      std::int64_t key = some_key();
      for (std::int64_t region = 0; region < std::ssize(shape_.regions); ++region)
        add(at, rng_.percent(25) ? EventKind::remove : EventKind::put, {region, key});
    }
  }

  void node_crash(std::int64_t at_us) {
    std::int64_t region = some_region();
    std::int64_t step_ms = shape_.faults.step_ms_max;
    if (shape_.faults.reboots && rng_.percent(50)) {
      std::int64_t step_us = rng_.percent(50) ? rng_.between(-step_ms, step_ms) * 1'000 : 0;
      return add(at_us, EventKind::reboot, {region, down_us(), step_us});
    }
    std::int64_t how = rng_.percent(30) ? 1 : 0;
    if (shape_.faults.power_cuts && rng_.percent(50))
      how = static_cast<std::int64_t>(SimNode::Crash::power);
    add(at_us, EventKind::crash_node, {region, down_us(), how});
  }

  void replicator_crash(std::int64_t at_us) {
    if (shape_.workers > 1 && rng_.percent(50))
      return add(at_us, EventKind::crash_worker, {some_region(), rng_.percent(20) ? 0 : down_us()});
    auto kind = rng_.percent(30) ? EventKind::stop_replicator : EventKind::crash_replicator;
    std::int64_t region = some_region();
    std::int64_t down = down_us();
    add(at_us, kind, {region, down});
    if (rng_.percent(10))
      add(at_us + down / 2, EventKind::damage, {region, rng_.between(0, 1'000'000)});
  }

  void cut(std::int64_t at_us, std::int64_t from, std::int64_t to, std::int64_t for_us) {
    if (from != to) add(at_us, EventKind::cut, {from, to, for_us});
  }

  void partition(std::int64_t at_us) {
    std::int64_t region = some_region();
    std::int64_t for_us = rng_.between(50'000, shape_.faults.cut_ms_max * 1'000);
    bool both_ways = rng_.percent(60);
    bool outwards = rng_.percent(50);
    bool alone = rng_.percent(50);
    std::int64_t other = some_region();
    for (std::int64_t peer = 0; peer < std::ssize(shape_.regions); ++peer) {
      if (!alone && peer != other) continue;
      if (both_ways || outwards) cut(at_us, region, peer, for_us);
      if (both_ways || !outwards) cut(at_us, peer, region, for_us);
    }
  }

  void flapping(std::int64_t at_us) {
    std::int64_t from = some_region();
    std::int64_t to = some_region();
    for (std::int64_t turns = rng_.between(4, 12); turns > 0; --turns) {
      std::int64_t for_us = rng_.between(20'000, 250'000);
      cut(at_us, from, to, for_us);
      at_us += for_us + rng_.between(20'000, 250'000);
    }
  }

  void clock_step(std::int64_t at_us) {
    constexpr std::int64_t kSmallUs = 400'000;
    std::int64_t most = rng_.percent(40) ? kSmallUs : shape_.faults.step_ms_max * 1'000;
    add(at_us, EventKind::step_clock,
        {some_region(), rng_.between(-most, most), rng_.between(100'000, 3'000'000)});
  }

  void full_disk(std::int64_t at_us) {
    add(at_us, EventKind::disk_full, {some_region(), rng_.between(200'000, 2'000'000)});
  }

  void disk_fault(std::int64_t at_us) {
    auto fault = static_cast<std::int64_t>(
        rng_.below(static_cast<std::uint64_t>(DiskFault::power_in_sync) + 1));
    add(at_us, EventKind::disk_fault, {some_region(), fault, rng_.between(1, 40), down_us()});
  }

  void twin(std::int64_t at_us) {
    add(at_us, EventKind::twin, {some_region(), rng_.between(100'000, 2'000'000)});
  }

  void poison(std::int64_t at_us) {
    add(at_us, EventKind::poison, {some_region(), some_key(), 0});
  }

  void control(std::int64_t at_us) {
    add(at_us, EventKind::control,
        {some_region(), static_cast<std::int64_t>(rng_.below(kControlSteps))});
  }

  void pause(std::int64_t at_us) {
    std::int64_t from = some_region();
    std::int64_t to = some_region();
    if (from != to)
      add(at_us, EventKind::pause,
          {from, to, rng_.between(50'000, shape_.faults.cut_ms_max * 1'000)});
  }

  // Data directories that are lost, or give way to an older copy.  Drawn by themselves, so that the
  // other events of a seed do not depend on them.
  void lives() {
    Rng rng = derived(shape_.seed, Luck::lives, {1});
    auto region = [&] { return static_cast<std::int64_t>(rng.below(shape_.regions.size())); };
    auto down = [&] { return rng.between(1'000, shape_.faults.down_ms_max * 1'000); };
    for (unsigned i = 0; i < shape_.faults.lost_stores; ++i) {
      std::int64_t at = rng.between(until_us_ / 20, until_us_);
      add(at, EventKind::lose_store, {region(), down(), rng.percent(50) ? 1 : 0});
    }
    for (unsigned i = 0; i < shape_.faults.old_copies; ++i) {
      std::int64_t copied = rng.between(0, until_us_);
      std::int64_t at = rng.between(copied, until_us_);
      std::int64_t whose = region();
      add(copied, EventKind::copy_store, {whose});
      add(at, EventKind::restore_store, {whose, down()});
    }
  }

  void drain(std::int64_t at_us) {
    std::int64_t from = some_region();
    std::int64_t to = some_region();
    if (from != to) add(at_us, EventKind::drain, {from, to, rng_.between(0, 5'000'000)});
  }

  // When nothing follows, what was lost stays lost.
  void aftershocks() {
    std::int64_t at_us = until_us_;
    for (unsigned i = 0; i < shape_.faults.aftershocks; ++i) {
      at_us += rng_.between(10'000, 800'000);
      if (rng_.percent(50)) {
        add(at_us, EventKind::crash_replicator, {some_region()});
      } else {
        std::int64_t hows = shape_.faults.power_cuts ? 3 : 2;
        add(at_us, EventKind::crash_node, {some_region(), 0, rng_.between(0, hows - 1)});
      }
    }
  }

  const Shape& shape_;
  Rng rng_;
  std::int64_t until_us_;
  std::vector<Event> events_;
};

}  // namespace

std::vector<Event> plan_events(const Shape& shape) { return Planner(shape).plan(); }

Script draw_script(std::uint64_t seed, std::size_t regions) {
  Shape shape = draw_shape(seed, regions);
  auto events = plan_events(shape);
  return {std::move(shape), std::move(events)};
}

}  // namespace meridian::sim
