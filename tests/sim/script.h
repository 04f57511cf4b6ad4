// Script: a whole run written down: its shape, and every event that happens in it, each with all that
// was decided about it.  What a seed draws is a script; a script can be edited and run again.
//
//     sim-script 1
//     regions 3
//     seed 17
//     keys 2
//     region.1.clock_offset_us 120000
//     at 120031 put region=0 key=1 bytes=0
//     at 900000 crash_node region=1 down_us=50000 how=2
//
// What is left out of the text is as in a plain shape.  Events are independent: one may be taken away
// and the others stay what they are (derived.h).
// Threads: value types.
// Errors: parse_script throws std::runtime_error that names the line.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/shape.h"

namespace meridian::sim {

enum class EventKind {
  // Writes of clients: region, key, bytes of padding.
  put,
  insert,
  append,
  remove,
  same,
  poison,
  // Processes: region, down_us; how: SimNode::Crash.
  crash_node,
  crash_replicator,
  stop_replicator,
  crash_worker,  // the region's second one; down_us 0: for good
  reboot,  // the whole machine, whose clock comes back step_us off
  twin,    // a second replicator, for_us
  // Links and clocks.
  cut,         // from, to, for_us
  step_clock,  // region, by_us, for_us
  pause,       // from, to, for_us: on purpose; nothing is read or shipped
  // Disks: region; see SimDisk.
  disk_full,   // for_us
  disk_fault,  // kind of fault, at the nth write or sync, down_us
  damage,      // flips a bit of the replicator's checkpoints
  // The region's own scratch table: region, what (ControlStep).
  control,
  // The region, which has not the table yet, gets a replica of it: see Shape::joins.
  join,
  // An operator asks whether a region has all that another one had: from, to, for_us.
  drain,
  // A region's data directory: region; see Faults.
  copy_store,
  restore_store,  // down_us; nothing if there is no copy
  lose_store,     // down_us, checkpoints: 1 if those of its replicator go too
};

struct Event {
  static constexpr std::size_t kArgs = 4;

  std::int64_t at_us = 0;
  EventKind kind = EventKind::put;
  std::array<std::int64_t, kArgs> args{};

  [[nodiscard]] std::size_t region() const { return static_cast<std::size_t>(args[0]); }
  [[nodiscard]] bool is_write() const { return kind <= EventKind::poison; }
  bool operator==(const Event&) const = default;
};

struct Script {
  Shape shape;
  std::vector<Event> events;  // in order of time
};

// What a seed stands for.  `regions` 0: drawn too, 3 to 5.
Script draw_script(std::uint64_t seed, std::size_t regions);
// The events that a shape's load and faults ask for.
std::vector<Event> plan_events(const Shape& shape);

std::string to_text(const Event& event);
std::string to_text(const Script& script);
Script parse_script(const std::string& text);

}  // namespace meridian::sim
