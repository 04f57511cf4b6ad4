// ShiftedClock: a clock that can be set off on purpose for a stated time, so that an operator can
// see what a region does when its clock steps.  Back to the truth by itself.
//
// Threads: any.  Limits: kShiftMsMax either way, kShiftForMsMax long.
#pragma once

#include <algorithm>
#include <atomic>

#include "common/clock.h"

namespace meridian {

inline constexpr std::int64_t kShiftMsMax = 24LL * 3600 * 1000;
inline constexpr std::int64_t kShiftForMsMax = 24LL * 3600 * 1000;

class ShiftedClock final : public Clock {
 public:
  // Borrows the true clock.
  explicit ShiftedClock(const Clock& truth) : truth_(truth) {}

  [[nodiscard]] std::int64_t wall_us() const override { return truth_.wall_us() + shift_us(); }
  [[nodiscard]] std::int64_t monotonic_us() const override { return truth_.monotonic_us(); }

  // REQUIRES: |by_ms| <= kShiftMsMax, 0 < for_ms <= kShiftForMsMax.
  void shift(std::int64_t by_ms, std::int64_t for_ms) {
    ends_us_ = 0;
    by_us_ = by_ms * 1000;
    ends_us_ = truth_.monotonic_us() + for_ms * 1000;
  }
  void restore() { ends_us_ = 0; }

  // How far off it is now; 0 when it is right.
  [[nodiscard]] std::int64_t shift_us() const { return left_us() > 0 ? by_us_.load() : 0; }
  [[nodiscard]] std::int64_t left_us() const {
    std::int64_t ends_us = ends_us_;
    return ends_us == 0 ? 0 : std::max<std::int64_t>(0, ends_us - truth_.monotonic_us());
  }

 private:
  const Clock& truth_;
  std::atomic<std::int64_t> by_us_{0};
  std::atomic<std::int64_t> ends_us_{0};  // on the monotonic clock; 0: not shifted
};

}  // namespace meridian
