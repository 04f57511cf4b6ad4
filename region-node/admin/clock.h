// The admin pages about clocks (store/clock_report.h).
//
//   GET  /v1/clock                           what the region knows: see clock_json()
//   /v1/clock/shift                          clock_shift.h
//   POST /v1/clock/accept                    takes the wall clock as it is after a step
//   POST /v1/clock/release?source=REGION     takes the versions of REGION that are held now
//        &until=MS                           or all of its versions up to that time (ms since 1970)
//
// Threads: the admin server's; a release is waited for, at most kDecisionMsMax (quarantine.h).
#pragma once

#include "common/metrics.h"
#include "region-node/admin/target.h"

namespace meridian::admin {

// {"stepped", "step_ms", "bound_ms", "minted_ahead_ms",
//  "held": [{"source", "flows", "ahead_ms", "for_ms", "until_ms"}],
//  "released": [{"source", "until_ms"}]}
boost::json::object clock_json(const store::ClockReport& report);
http::Response serve_clock(store::Store& store, const Target& target, const std::string& method);
void collect_clock(const store::Store& store, MetricsPage& page);

}  // namespace meridian::admin
