// Tally: what became of the writes of a load, and of those whose way was watched.  Pure.
//
// Two latencies of each write: from when it was due, and from when it was sent.  They differ where a
// write waited for a connection, because those before it had no answer yet.  Writes that were never
// sent count in the first with the time that they had waited when they were given up, and in the
// second not at all, as in a generator that omits them.
// Units: microseconds since the load began.  Threads: values; whoever shares one guards it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/lag_counts.h"
#include "tools/meridian/replicate/workload.h"

namespace meridian::replicate {

struct Answer {
  Kind kind = Kind::put;
  std::int64_t due_us = 0;  // in a closed loop, when it was sent
  std::int64_t sent_us = 0;
  std::int64_t answered_us = 0;
  int status = 0;     // of HTTP; 0: no answer
  std::string error;  // its type; empty: acknowledged
};

struct WriteTally {
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::uint64_t unsent = 0;
  std::map<Kind, std::uint64_t> by_kind;  // acknowledged
  std::map<std::string, std::uint64_t> errors;
  std::map<int, std::uint64_t> statuses;
  LagCounts from_due;   // to the acknowledgement
  LagCounts from_sent;  // the same
  std::int64_t last_us = 0;  // the last answer

  void add(const Answer& answer);
  // Due and never sent, because every connection was waiting for an answer.
  void give_up(std::int64_t due_us, std::int64_t now_us);
  [[nodiscard]] std::uint64_t sent() const { return acknowledged + failed; }
};

// A write that is looked for in the other regions.
struct Sample {
  std::uint64_t number = 0;
  std::int64_t due_us = 0;
  std::int64_t acked_us = 0;
};

struct SinkTally {
  std::string region;
  std::uint64_t seen = 0;
  std::uint64_t unseen = 0;  // given up; the lags below have the time until then
  std::uint64_t reads = 0;
  std::map<std::string, std::uint64_t> errors;  // of reads
  LagCounts lag;       // from the acknowledgement until a read shows the write
  LagCounts from_due;  // from when the write was due until then

  void see(const Sample& sample, std::int64_t now_us);
  void give_up(const Sample& sample, std::int64_t now_us);
};

}  // namespace meridian::replicate
