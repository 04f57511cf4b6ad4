#include "conflict/clock_guard.h"

namespace meridian::conflict {

ClockGuard::State ClockGuard::sample(std::int64_t wall_ms, std::int64_t monotonic_ms) {
  if (!started_) {
    accept(wall_ms, monotonic_ms);
    return state_;
  }
  std::int64_t expected_ms = base_wall_ms_ + (monotonic_ms - base_monotonic_ms_);
  step_ms_ = wall_ms - expected_ms;
  if (step_ms_ > drift_ms_max_ || step_ms_ < -drift_ms_max_) {
    state_ = State::stepped;
    believed_ms_ = expected_ms;
    return state_;
  }
  std::int64_t step_ms = step_ms_;
  accept(wall_ms, monotonic_ms);
  step_ms_ = step_ms;
  return state_;
}

void ClockGuard::accept(std::int64_t wall_ms, std::int64_t monotonic_ms) {
  started_ = true;
  base_wall_ms_ = wall_ms;
  base_monotonic_ms_ = monotonic_ms;
  believed_ms_ = wall_ms;
  step_ms_ = 0;
  state_ = State::trusted;
}

}  // namespace meridian::conflict
