// The bare SQLite loop: one thread that writes, into a file with the product's own schema and
// settings, the rows that applying records must write, in groups of the same size: reads the item,
// inserts or updates it, appends the log record (with the old image, for an update) and its link, and
// saves the flow's position, then commits with a sync.
//
// No RPC, no decoding, no conflict rule, no counters: what the engine can give at most.
// Threads: main.  Errors: sqlite::SqliteError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tools/bench/daemons.h"
#include "tools/bench/feeder.h"
#include "tools/bench/options.h"

namespace meridian::bench {

struct BareReport {
  double per_second = 0;
  double cpu_us_per_row = 0;
  std::size_t group = 0;
};

// Runs for Options::bare_ms, on a file of its own that is removed afterwards.
BareReport run_bare_sqlite(const Options& options, const WorkDir& dir, Variety variety,
                           std::size_t group);

}  // namespace meridian::bench
