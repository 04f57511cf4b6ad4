// A region joins a large table that is being written to: a fourth region gets a replica of a table of
// three, clients go on writing at a steady rate at a region that stays up, and both sides of the copy are
// killed once in the middle of it, all their daemons at once.  It ends when the replica is ACTIVE, with
// a comparison of all four regions, which must be identical.
//
// What counts as the clients' latency: of writes at a region that is neither filled nor copied from, from
// when each was due (http_load.h), so that no stall is left out.
// Threads: main, and one for the clients.
// Errors: std::runtime_error, also when a write is refused, or when the regions differ in the end.
#pragma once

#include "tools/bench/daemons.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace meridian::bench {

void run_join_bench(const Options& options, const WorkDir& dir, Report& report);

}  // namespace meridian::bench
