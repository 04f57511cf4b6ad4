// The growth section: what the apply rate and the lag become as a region grows: at 0.1, 1 and 10
// million items, beside 0 and 99 idle tables, and with 1 and 16 shards of the log.
//
// Threads: main.  Errors: std::runtime_error.
// Limits: takes about 15 minutes and 40 GB of disk unless shortened.
#pragma once

#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace meridian::bench {

void run_growth(const Options& options, Report& report);

}  // namespace meridian::bench
