// ClockGuard: decides whether this region's wall clock may be believed, and whether a version from
// elsewhere is too far in the future to be applied yet.
//
// A wall clock that steps by more than the bound, seen against monotonic time, is not adopted: the
// guard reports `stepped` (client writes are refused with a retryable error) until the clock is back
// near where it was expected, or an operator accepts the new time.  Slow corrections within the
// bound (slewing) are adopted at each sample.
//
// Threads: confined to the writer.  Pure: both times are arguments.
// Limits: kDriftMaxMsDefault; the bound is also the furthest a held version may lie ahead.
// Source: DESIGN rule "clock guard"; ADR 0004.
#pragma once

#include <cstdint>
#include <optional>

#include "conflict/version.h"

namespace meridian::conflict {

class ClockGuard {
 public:
  static constexpr std::int64_t kDriftMaxMsDefault = 500;

  explicit ClockGuard(std::int64_t drift_ms_max = kDriftMaxMsDefault)
      : drift_ms_max_(drift_ms_max) {}

  enum class State { trusted, stepped };

  // Feeds one sample of both clocks.  Call before each group of writes.
  State sample(std::int64_t wall_ms, std::int64_t monotonic_ms);

  // Takes the wall clock as it is now, on an operator's word.
  void accept(std::int64_t wall_ms, std::int64_t monotonic_ms);

  // The time to mint with: the wall clock while trusted, else where it was expected to be.
  [[nodiscard]] std::int64_t believed_ms() const { return believed_ms_; }
  [[nodiscard]] State state() const { return state_; }
  // Wall minus expected at the last sample, in ms; what an operator is shown.
  [[nodiscard]] std::int64_t step_ms() const { return step_ms_; }

  // How long, in ms, a version must still be held; empty when it may be applied now.
  [[nodiscard]] std::optional<std::int64_t> hold_ms(Hlc version) const {
    std::int64_t ahead = version.physical_ms() - believed_ms_ - drift_ms_max_;
    if (ahead <= 0) return std::nullopt;
    return ahead;
  }
  [[nodiscard]] std::int64_t drift_ms_max() const { return drift_ms_max_; }

 private:
  std::int64_t drift_ms_max_;
  bool started_ = false;
  std::int64_t base_wall_ms_ = 0;
  std::int64_t base_monotonic_ms_ = 0;
  std::int64_t believed_ms_ = 0;
  std::int64_t step_ms_ = 0;
  State state_ = State::trusted;
};

}  // namespace meridian::conflict
