// Backoff: how long to wait after the n-th failure in a row: doubling from `ms_min` to `ms_max`, with
// jitter over the upper half so that many waiters do not come back at once.
// Pure; the Rng is borrowed.  Threads: one owner.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/rng.h"

namespace meridian::rpc {

class Backoff {
 public:
  Backoff(std::int64_t ms_min, std::int64_t ms_max) : ms_min_(ms_min), ms_max_(ms_max) {}

  // Counts a failure and answers the wait, in [bound / 2, bound].
  std::int64_t next_ms(Rng& rng) {
    constexpr std::uint32_t kDoublingsMax = 20;
    std::int64_t bound = std::min(ms_max_, ms_min_ << std::min(failures_, kDoublingsMax));
    ++failures_;
    return rng.between(bound / 2, bound);
  }
  void reset() { failures_ = 0; }
  [[nodiscard]] std::uint32_t failures() const { return failures_; }

 private:
  std::int64_t ms_min_;
  std::int64_t ms_max_;
  std::uint32_t failures_ = 0;
};

}  // namespace meridian::rpc
