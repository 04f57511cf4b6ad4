// ClockOffset: how far another machine's wall clock is ahead of ours, from round trips (as in NTP).
//
// A reply says the other clock at some moment between sending and receiving; the middle is wrong by
// at most half the round trip, so the fastest of the recent samples is the best one.  Samples are kept
// against our monotonic clock, so a step of our own wall clock shows at once.  When a new sample
// contradicts an older one (their error ranges do not meet), the other clock has moved, and the older
// one is forgotten.
// Pure.  Threads: one owner.  Units: microseconds.
// Limits: kSamplesMax samples.
// Source: RFC 5905, section 8 (clock filter), simplified.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace meridian::rpc {

class ClockOffset {
 public:
  static constexpr std::size_t kSamplesMax = 16;

  // `theirs_us`: the other wall clock; `sent_us`, `received_us`: our monotonic clock.
  void add(std::int64_t sent_us, std::int64_t theirs_us, std::int64_t received_us);

  // Their wall clock minus ours; empty before the first sample.
  [[nodiscard]] std::optional<std::int64_t> offset_us(std::int64_t wall_us,
                                                      std::int64_t monotonic_us) const;
  // Round trip of the sample in use.
  [[nodiscard]] std::optional<std::int64_t> round_trip_us() const;
  void clear() { samples_.clear(); }

 private:
  struct Sample {
    std::int64_t theirs_minus_monotonic_us;
    std::int64_t round_trip_us;
  };
  [[nodiscard]] const Sample* best() const;

  std::deque<Sample> samples_;  // oldest first
};

}  // namespace meridian::rpc
