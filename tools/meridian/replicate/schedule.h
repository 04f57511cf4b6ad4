// Schedule: when each write of an open loop is due, whatever the server does.  Pure.
//
// Latency counts from there: were it counted from when a write could at last be sent, a stall would
// cost only the few that were under way, and not all that it kept waiting (coordinated omission).
// Units: microseconds since the load began.  Threads: a value.
#pragma once

#include <cstdint>

namespace meridian::replicate {

class Schedule {
 public:
  // REQUIRES: per_second > 0
  explicit Schedule(double per_second) : per_second_(per_second) {}

  [[nodiscard]] std::int64_t due_us(std::uint64_t number) const {
    return static_cast<std::int64_t>(static_cast<double>(number) * 1e6 / per_second_);
  }
  // How many are due before that.
  [[nodiscard]] std::uint64_t due_before(std::int64_t until_us) const {
    if (until_us <= 0) return 0;
    auto count = static_cast<std::uint64_t>(static_cast<double>(until_us) * per_second_ / 1e6);
    while (count > 0 && due_us(count - 1) >= until_us) --count;
    while (due_us(count) < until_us) ++count;
    return count;
  }

 private:
  double per_second_;
};

}  // namespace meridian::replicate
