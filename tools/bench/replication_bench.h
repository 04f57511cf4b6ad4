// The replication sections: apply (the source kept busy), catch-up (after an outage) and lag (at half
// of the rate that apply gave), on one pair of regions; each rate beside the bare SQLite loop in
// groups as large as the sink's transactions were.
//
// Threads: main.  Errors: std::runtime_error.
#pragma once

#include "tools/bench/daemons.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace meridian::bench {

void run_replication_bench(const Options& options, const WorkDir& dir, Report& report);

}  // namespace meridian::bench
