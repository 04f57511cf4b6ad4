// HybridClock: mints versions that never go back, follow the wall clock when they can, and exceed
// everything that this region has seen.  Pure: physical time is an argument.
//
// Threads: confined to the writer.
// Invariants: (1) mint() is strictly increasing; (2) after observe(h), mint() > h.
// Restart: restore() with the persisted ceiling before the first mint(); the owner persists a new
// ceiling in the same transaction as the first version at or above the old one (see needs_ceiling).
// Source: Kulkarni, Demirbas et al., "Logical Physical Clocks" (2014), with carry instead of a
// bounded counter.
#pragma once

#include <cstdint>

#include "conflict/version.h"

namespace meridian::conflict {

class HybridClock {
 public:
  // How far ahead of a minted version the ceiling is put.  Larger writes the ceiling less often and
  // lets a restarted region run further ahead of its wall clock; must stay well below the drift bound.
  static constexpr std::int64_t kCeilingStepMs = 100;

  // Starts at or above `ceiling`, the highest value that an earlier run may have minted.
  void restore(Hlc ceiling) {
    if (ceiling > last_) last_ = ceiling;
    ceiling_ = ceiling;
  }

  // A value above every earlier one, above `floor`, and at least the physical time.
  Hlc mint(std::int64_t physical_ms, Hlc floor) {
    Hlc least = last_.next();
    if (floor >= least) least = floor.next();
    Hlc physical = Hlc::at_ms(physical_ms);
    last_ = physical > least ? physical : least;
    return last_;
  }

  // Moves up to the physical time, and answers a value at or below which nothing is minted any more.
  Hlc reach(std::int64_t physical_ms) {
    observe(Hlc::at_ms(physical_ms));
    return last_;
  }

  // Remembers a version that came from a peer, so that later local versions exceed it.
  void observe(Hlc seen) {
    if (seen > last_) last_ = seen;
  }

  // True when last() passes the persisted ceiling: store next_ceiling() before anything minted is
  // made visible, then call ceiling_stored().
  [[nodiscard]] bool needs_ceiling() const { return last_ > ceiling_; }
  [[nodiscard]] Hlc next_ceiling() const {
    return Hlc::at_ms(last_.physical_ms() + kCeilingStepMs);
  }
  void ceiling_stored(Hlc ceiling) { ceiling_ = ceiling; }

  [[nodiscard]] Hlc last() const { return last_; }

 private:
  Hlc last_;
  Hlc ceiling_;
};

}  // namespace meridian::conflict
