// The HTTP section: PutItem of new keys, PutItem over existing ones and GetItem, each beside the bare
// server given the same requests, in short rounds that take turns, because a machine's speed drifts.
// Threads: main.  Errors: std::runtime_error.
#pragma once

#include "tools/bench/daemons.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace meridian::bench {

void run_http_bench(const Options& options, const WorkDir& dir, Report& report);

}  // namespace meridian::bench
