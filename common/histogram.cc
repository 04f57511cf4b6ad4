#include "common/histogram.h"

#include <cmath>

namespace meridian {

std::int64_t Histogram::bound_of(std::size_t bucket) {
  if (bucket < (1u << kStepBits)) return static_cast<std::int64_t>(bucket);
  auto shift = static_cast<int>(bucket >> kStepBits) - 1;
  auto step = static_cast<std::int64_t>(bucket & ((1u << kStepBits) - 1)) + (1 << kStepBits);
  return ((step + 1) << shift) - 1;
}

std::int64_t Histogram::quantile_us(double quantile) const {
  std::uint64_t total = 0;
  for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
  if (total == 0) return 0;
  auto wanted = static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(total)));
  if (wanted == 0) wanted = 1;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i].load(std::memory_order_relaxed);
    if (seen >= wanted) return bound_of(i) < max_us() ? bound_of(i) : max_us();
  }
  return max_us();
}

std::uint64_t Histogram::count_at_most(std::int64_t bound_us) const {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets && bound_of(i) <= bound_us; ++i)
    seen += counts_[i].load(std::memory_order_relaxed);
  return seen;
}

}  // namespace meridian
