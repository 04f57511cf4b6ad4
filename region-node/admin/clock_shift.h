// The admin page that sets the region's wall clock off on purpose, as `meridian clock shift` and the
// drill "clock-step" do; it is right again by itself.
//
//   GET  /v1/clock/shift                           {"by_ms", "left_ms"}; zeros while it is right
//   POST /v1/clock/shift?by_ms=MS&for_ms=MS        sets it off, in place of an earlier shift
//   POST /v1/clock/shift?by_ms=0                   puts it right now
//
// Threads: the admin server's.
#pragma once

#include "common/log.h"
#include "common/metrics.h"
#include "common/shifted_clock.h"
#include "region-node/admin/target.h"

namespace meridian::admin {

class ClockShiftPages {
 public:
  ClockShiftPages(ShiftedClock& clock, const Logger& log) : clock_(clock), log_(log) {}
  // Empty for what is no page of it.
  std::optional<http::Response> handle(const http::Request& request) const;
  void collect(MetricsPage& page) const;

 private:
  [[nodiscard]] http::Response change(const Target& target) const;
  [[nodiscard]] http::Response show() const;

  ShiftedClock& clock_;
  const Logger& log_;
};

}  // namespace meridian::admin
