// What comparing and mending a large table costs: two regions are cut from one another for longer than
// their logs are kept for each other, while 1 % of the rows is changed on each side, evenly spread.  When
// the link heals they repair themselves.  Timed: `meridian verify` while they differ and when they do
// not, and the repair, with the bytes that it exchanged.
//
// Threads: main.  Errors: std::runtime_error, also when the regions differ in the end.
#pragma once

#include "tools/bench/daemons.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace meridian::bench {

void run_repair_bench(const Options& options, const WorkDir& dir, Report& report);

}  // namespace meridian::bench
