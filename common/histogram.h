// Histogram: a log-linear latency histogram (the idea of HdrHistogram): 32 steps per power of two, so
// a quantile is right to about 3 %, from 1 microsecond to over an hour, in a few kilobytes.
//
// Threads: record() from any; reads see a recent state.
// Units: microseconds.  Values outside the range count in the first or last bucket.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace meridian {

class Histogram {
 public:
  static constexpr int kStepBits = 5;
  static constexpr std::int64_t kValueMaxUs = (std::int64_t{1} << 33) - 1;
  static constexpr std::size_t kBuckets = (33 - kStepBits + 1) << kStepBits;

  void record(std::int64_t value_us) {
    if (value_us < 0) value_us = 0;
    if (value_us > kValueMaxUs) value_us = kValueMaxUs;
    counts_[bucket_of(value_us)].fetch_add(1, std::memory_order_relaxed);
    count_.fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(static_cast<std::uint64_t>(value_us), std::memory_order_relaxed);
    auto seen = max_us_.load(std::memory_order_relaxed);
    while (value_us > seen && !max_us_.compare_exchange_weak(seen, value_us)) {
    }
  }

  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t max_us() const { return max_us_.load(std::memory_order_relaxed); }
  // Smallest recorded bucket bound with at least `quantile` (0 to 1) of the values at or below it;
  // 0 when nothing was recorded.
  [[nodiscard]] std::int64_t quantile_us(double quantile) const;
  // Values at or below `bound_us`, for Prometheus buckets.
  [[nodiscard]] std::uint64_t count_at_most(std::int64_t bound_us) const;

 private:
  static std::size_t bucket_of(std::int64_t value_us) {
    auto value = static_cast<std::uint64_t>(value_us);
    if (value < (1u << kStepBits)) return value;
    int shift = static_cast<int>(std::bit_width(value)) - 1 - kStepBits;
    return (static_cast<std::size_t>(shift + 1) << kStepBits) +
           static_cast<std::size_t>((value >> shift) - (1u << kStepBits));
  }
  static std::int64_t bound_of(std::size_t bucket);

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> sum_us_{0};
  std::atomic<std::int64_t> max_us_{0};
};

}  // namespace meridian
