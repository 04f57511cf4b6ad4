// LagCounts: a latency histogram as a plain value, to be put together with others and sent: how many
// values lie at or below each bound and above the bound before it.  Bounds are those of 128 steps per
// power of two, so a value is known to 0.8 %.
//
// Threads: value type.
// Units: microseconds; negative values count as 0.
#pragma once

#include <bit>
#include <cstdint>
#include <map>

namespace meridian {

struct LagCounts {
  static constexpr int kStepBits = 7;

  // The bound that `value_us` counts under.
  static constexpr std::int64_t bound_of(std::int64_t value_us) {
    if (value_us < (1 << kStepBits)) return value_us < 0 ? 0 : value_us;
    auto width = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value_us)));
    int shift = width - 1 - kStepBits;
    return value_us | ((std::int64_t{1} << shift) - 1);
  }

  void add(std::int64_t value_us) {
    ++by_bound[bound_of(value_us)];
    if (value_us > max_us) max_us = value_us;
  }
  void add(const LagCounts& other);

  [[nodiscard]] std::uint64_t count() const;
  // At least `quantile` (0 to 1) of the values are at or below it; 0 when there is none.
  [[nodiscard]] std::int64_t quantile_us(double quantile) const;

  std::map<std::int64_t, std::uint64_t> by_bound;
  std::int64_t max_us = 0;
};

}  // namespace meridian
