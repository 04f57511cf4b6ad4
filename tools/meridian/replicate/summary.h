// Summary: what a run of `meridian bench replicate` has measured, for people and for programs.
//
// Threads: any; pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/lag_counts.h"
#include "tools/meridian/output.h"
#include "tools/meridian/replicate/tally.h"

namespace meridian::replicate {

struct Summary {
  std::string table;
  std::string source;
  std::string run;  // part of every key that it wrote
  bool open_loop = true;
  double per_second = 0;  // that was asked for; of an open loop
  unsigned connections = 0;
  double seconds = 0;  // until the last answer
  bool interrupted = false;
  std::uint64_t requested = 0;
  std::uint64_t samples = 0;
  std::uint64_t unanswered = 0;  // under way when the summary was made
  WriteTally writes;
  std::vector<SinkTally> sinks;
};

// How many values lie at or below each bound and above the one before it; bounds are 1, 2 and 5 times
// powers of ten of 0.1 ms, from the first that has a value to the last.
struct Bar {
  std::int64_t bound_us = 0;
  std::uint64_t count = 0;
};
std::vector<Bar> bars_of(const LagCounts& counts);

// CSV has a row for each latency: which, the sink or "", count, percentiles.
std::string render(const Summary& summary, cli::Format format);

// The latencies by a name that fits into a file's.
std::vector<std::pair<std::string, LagCounts>> latencies(const Summary& summary);

// An Exit of the command line: 1 when a write failed or was not sent, or a sample was not seen; 3
// when nobody answered, 4 when everything was refused.
int exit_code(const Summary& summary);

// A line that says how it goes.
std::string progress_line(const Summary& so_far, std::size_t waiting);

}  // namespace meridian::replicate
