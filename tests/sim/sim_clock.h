// SimClock: one machine's clocks.  Wall time has an offset and can be stepped; both clocks drift
// together, as an unsteady crystal makes them; a reboot starts monotonic time anew.
//
// Threads: one.  Borrows: the EventQueue.
#pragma once

#include <cstdint>

#include "common/clock.h"
#include "tests/sim/event_queue.h"

namespace meridian::sim {

class SimClock final : public Clock {
 public:
  // 2026-06-01T00:00:00Z: where true time stands when a run begins.
  static constexpr std::int64_t kEpochUs = 1'780'272'000'000'000;

  SimClock(const EventQueue& queue, std::int64_t offset_us, std::int64_t drift_ppm)
      : queue_(queue), offset_us_(offset_us), drift_ppm_(drift_ppm) {}

  [[nodiscard]] std::int64_t wall_us() const override {
    return kEpochUs + elapsed_us() + offset_us_;
  }
  [[nodiscard]] std::int64_t monotonic_us() const override { return elapsed_us() - booted_us_; }

  [[nodiscard]] std::int64_t true_us() const { return kEpochUs + queue_.now_us(); }
  [[nodiscard]] std::int64_t ahead_us() const { return wall_us() - true_us(); }

  // How long the wall clock has gone on without a step.
  [[nodiscard]] std::int64_t steady_us() const { return queue_.now_us() - stepped_at_us_; }

  void step(std::int64_t by_us) {
    offset_us_ += by_us;
    stepped_at_us_ = queue_.now_us();
  }
  void reboot() { booted_us_ = elapsed_us(); }
  // Puts the wall clock right, as a time service does in the end, and stops the drift.
  void set_right(std::int64_t ahead_us) {
    std::int64_t elapsed = elapsed_us();
    anchor_us_ = queue_.now_us();
    at_anchor_us_ = elapsed;
    drift_ppm_ = 0;
    offset_us_ = queue_.now_us() - elapsed + ahead_us;
    stepped_at_us_ = queue_.now_us();
  }

 private:
  [[nodiscard]] std::int64_t elapsed_us() const {
    std::int64_t since = queue_.now_us() - anchor_us_;
    return at_anchor_us_ + since + since * drift_ppm_ / 1'000'000;
  }

  const EventQueue& queue_;
  std::int64_t offset_us_;
  std::int64_t drift_ppm_;
  std::int64_t anchor_us_ = 0;
  std::int64_t at_anchor_us_ = 0;
  std::int64_t booted_us_ = 0;
  std::int64_t stepped_at_us_ = -3'600'000'000;  // not yet
};

}  // namespace meridian::sim
