// LinkLag: how far one table of one sink lies behind, as the worker that ships it has seen: how long
// records took to become visible, the same of probes, and whether what waits grows older.
//
// Pure: time is an argument.  Threads: confined to its driver, but for total(), which any may read.
// Units: in the names; `now_ms` is monotonic.
// Limits: windows reach back LagWindow::kReachMs.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "common/histogram.h"
#include "common/lag_counts.h"

namespace meridian::replicator {

// What was measured over the last while, kept in slots of time.
class LagWindow {
 public:
  static constexpr std::int64_t kSlotMs = 2'000;
  static constexpr std::int64_t kReachMs = 300'000;
  static constexpr std::int64_t kDefaultMs = 60'000;

  void add(std::int64_t value_us, std::int64_t now_ms);
  // Of the last `window_ms`, to the length of a slot.
  [[nodiscard]] LagCounts counts(std::int64_t now_ms, std::int64_t window_ms) const;

 private:
  struct Slot {
    std::int64_t began_ms;
    LagCounts counts;
  };
  std::deque<Slot> slots_;
};

enum class Trend { unknown, steady, growing, shrinking };
const char* trend_name(Trend trend);

class LinkLag {
 public:
  void on_record(std::int64_t committed_us, std::int64_t lag_us, std::int64_t now_ms);
  void on_probe(std::int64_t read_us, std::int64_t lag_us, std::int64_t now_ms);
  // About once a second: the age of the oldest record that waits; 0: none does; empty: not known.
  void sample(std::optional<std::int64_t> oldest_ms, std::int64_t now_ms);

  [[nodiscard]] LagCounts records(std::int64_t now_ms, std::int64_t window_ms) const {
    return records_.counts(now_ms, window_ms);
  }
  [[nodiscard]] LagCounts probes(std::int64_t now_ms, std::int64_t window_ms) const {
    return probes_.counts(now_ms, window_ms);
  }
  [[nodiscard]] Trend trend(std::int64_t now_ms) const;
  // All records since the start.
  [[nodiscard]] const Histogram& total() const { return total_; }
  // When the newest record that is visible at the sink was committed, and when the newest probe
  // began, both by the source's clock.
  [[nodiscard]] std::optional<std::int64_t> applied_us() const { return applied_us_; }
  [[nodiscard]] std::optional<std::int64_t> probe_us() const { return probe_us_; }

 private:
  struct Sample {
    std::int64_t at_ms;
    std::int64_t oldest_ms;
  };
  Histogram total_;
  LagWindow records_;
  LagWindow probes_;
  std::deque<Sample> samples_;
  std::optional<std::int64_t> applied_us_;
  std::optional<std::int64_t> probe_us_;
};

}  // namespace meridian::replicator
