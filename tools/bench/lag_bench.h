// Lag: from a commit's acknowledgement at the source until a reader at the sink sees the item.
//
// While a feeder keeps a steady load, a prober on a thread of its own writes 20 to 100 items a second
// (a hundredth of the load) at the source and asks the sink for each over HTTP (GetItem, one keep-alive
// connection) every 0.2 ms until it is there.  Probes do not wait for each other, so a stall is seen by
// all that it hits.
// Threads: main, and the prober's, joined before the end.
// Errors: std::runtime_error.
#pragma once

#include <boost/json/object.hpp>

#include "common/histogram.h"
#include "tools/bench/feeder.h"
#include "tools/bench/pair.h"

namespace meridian::bench {

struct Lag {
  Histogram histogram;
  Histogram since_sent;        // from before the write, so with its own commit at the source
  double load_per_second = 0;  // that was asked for
  double fed_per_second = 0;   // that was reached
};

// `table`: the feeder's table.
void run_lag(const Options& options, Pair& pair, Feeder& feeder, const TableId& table,
             double per_second, Lag& lag);
boost::json::object as_json(const Lag& lag);

}  // namespace meridian::bench
