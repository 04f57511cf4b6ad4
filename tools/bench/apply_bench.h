// Apply and catch-up: records a second that become durable at the sink.
//
// Sustained apply is rows / (time of the load and of the drain after it), the source busy throughout.
// Catch-up: the source's replicator is stopped, rows are written, and the time runs from its start
// until the sink has made them all durable.
// Threads: main.  Errors: std::runtime_error.
#pragma once

#include <boost/json/object.hpp>

#include "tools/bench/feeder.h"
#include "tools/bench/options.h"
#include "tools/bench/pair.h"

namespace meridian::bench {

struct Applied {
  double per_second = 0;
  double source_per_second = 0;  // while the load lasted
  double group = 0;              // records in a transaction of the sink, on average
  std::uint64_t rows = 0;
  std::vector<Cost> costs;
};

Applied run_apply(Pair& pair, Feeder& feeder, Variety variety, std::size_t group,
                  std::int64_t run_ms);
Applied run_catch_up(Pair& pair, Feeder& feeder, Variety variety, std::size_t group,
                     std::uint64_t rows);

boost::json::object as_json(const Applied& applied);

}  // namespace meridian::bench
