// What clients notice while a replica of their table is filled: requests at the region that has the
// items, alone, while a new region copies them at its default pace, and while another one copies them
// as fast as it can.
// Threads: main.  Errors: std::runtime_error.
#pragma once

#include "tools/bench/daemons.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace meridian::bench {

void run_copy_bench(const Options& options, const WorkDir& dir, Report& report);

}  // namespace meridian::bench
