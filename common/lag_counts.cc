#include "common/lag_counts.h"

#include <algorithm>
#include <cmath>

namespace meridian {

void LagCounts::add(const LagCounts& other) {
  for (const auto& [bound_us, count] : other.by_bound) by_bound[bound_us] += count;
  max_us = std::max(max_us, other.max_us);
}

std::uint64_t LagCounts::count() const {
  std::uint64_t sum = 0;
  for (const auto& [bound_us, count] : by_bound) sum += count;
  return sum;
}

std::int64_t LagCounts::quantile_us(double quantile) const {
  std::uint64_t total = count();
  if (total == 0) return 0;
  auto wanted = static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(total)));
  std::uint64_t seen = 0;
  for (const auto& [bound_us, count] : by_bound) {
    seen += count;
    if (seen >= wanted && seen > 0) return std::min(bound_us, max_us);
  }
  return max_us;
}

}  // namespace meridian
