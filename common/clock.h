// The only door to time.  Components take a Clock& so that a simulated region can have skew, drift
// and steps; `now()` of the standard library is banned outside clock.cc (tests/tidy).
//
// Threads: SystemClock is safe from any thread.  Units are in the names.
#pragma once

#include <cstdint>

namespace meridian {

class Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since the Unix epoch.  May step in either direction.
  [[nodiscard]] virtual std::int64_t wall_us() const = 0;
  // Microseconds since an arbitrary start; never goes back; counts time spent suspended, so that a
  // resumed machine does not look like one whose wall clock stepped.
  [[nodiscard]] virtual std::int64_t monotonic_us() const = 0;

  [[nodiscard]] std::int64_t wall_ms() const { return wall_us() / 1000; }
  [[nodiscard]] std::int64_t monotonic_ms() const { return monotonic_us() / 1000; }
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_us() const override;
  [[nodiscard]] std::int64_t monotonic_us() const override;
};

}  // namespace meridian
