#include "rpc/clock_offset.h"

#include <algorithm>
#include <cstdlib>

namespace meridian::rpc {

void ClockOffset::add(std::int64_t sent_us, std::int64_t theirs_us, std::int64_t received_us) {
  std::int64_t round_trip_us = std::max<std::int64_t>(received_us - sent_us, 0);
  Sample sample{theirs_us - (sent_us + round_trip_us / 2), round_trip_us};
  // Clocks drift apart while a sample ages; a millisecond is generous for the seconds it is kept.
  constexpr std::int64_t kSlackUs = 1000;
  std::erase_if(samples_, [&sample](const Sample& old) {
    std::int64_t apart = std::abs(old.theirs_minus_monotonic_us - sample.theirs_minus_monotonic_us);
    return apart > old.round_trip_us / 2 + sample.round_trip_us / 2 + kSlackUs;
  });
  samples_.push_back(sample);
  if (samples_.size() > kSamplesMax) samples_.pop_front();
}

const ClockOffset::Sample* ClockOffset::best() const {
  auto at = std::min_element(
      samples_.begin(), samples_.end(),
      [](const Sample& a, const Sample& b) { return a.round_trip_us < b.round_trip_us; });
  return at == samples_.end() ? nullptr : &*at;
}

std::optional<std::int64_t> ClockOffset::offset_us(std::int64_t wall_us,
                                                   std::int64_t monotonic_us) const {
  const Sample* sample = best();
  if (sample == nullptr) return std::nullopt;
  return sample->theirs_minus_monotonic_us - (wall_us - monotonic_us);
}

std::optional<std::int64_t> ClockOffset::round_trip_us() const {
  const Sample* sample = best();
  if (sample == nullptr) return std::nullopt;
  return sample->round_trip_us;
}

}  // namespace meridian::rpc
