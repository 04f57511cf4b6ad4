// What the conflict ledger costs the applying of records that conflict with nothing: the same updates are
// applied by a sink that keeps a ledger and by one that keeps none, in turns, each a pair of regions of its
// own.
//
// Threads: main.  Errors: std::runtime_error.
#pragma once

#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace meridian::bench {

void run_ledger_bench(const Options& options, Report& report);

}  // namespace meridian::bench
