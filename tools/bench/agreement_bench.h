// Agreement: does the lag that the product reports agree with what an independent prober sees?
//
// At idle, at a steady load and, at idle, with every byte of the link delayed by 80 ms, each with
// regions of its own: the prober's quantiles (lag_bench.h), and those of the source's replicator.
// Threads: main.  Errors: std::runtime_error.
#pragma once

#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace meridian::bench {

void run_agreement_bench(const Options& options, Report& report);

}  // namespace meridian::bench
