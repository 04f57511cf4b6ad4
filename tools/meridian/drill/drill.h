// Drill: breaks one region on purpose under load, and measures how long clients were without it
// (RTO), what would have been lost had it never come back (RPO), and what became of every write.
//
//   PREFLIGHT -> BASELINE -> INJECT -> DETECT -> EVACUATE -> STEADY -> HEAL -> CATCH-UP
//   -> FAILBACK -> VERIFY
//
// What is broken is always healed: at the end, at Ctrl-C, at an error; faults of links end by
// themselves too.  A drill that is killed leaves daemons that it had killed as they are: deploy/up
// starts them.
//
// Threads: one.  Errors: Refused (nothing was touched), Aborted (all was healed), others after
// healing.
// Source: definitions of the figures in docs/DRILLS.md.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/meridian/deployment.h"
#include "tools/meridian/drill/ledger.h"
#include "tools/meridian/drill/scenario.h"
#include "tools/meridian/drill/watch.h"

namespace meridian::drill {

// The preflight said no; nothing was touched.  One reason per line.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
// Ctrl-C or a stop condition; everything was healed.
class Aborted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct DrillOptions {
  std::string scenario;
  std::string region;  // empty: the first of the deployment
  std::int64_t baseline_ms = 5'000;
  std::int64_t fault_ms = 15'000;
  std::int64_t failback_ms = 3'000;
  std::int64_t catch_up_ms_max = 120'000;
  // A link whose oldest record waits longer than this counts as stalled.
  std::int64_t stall_ms = 2'000;
  double rate = 200;
  std::uint64_t seed = 1;
  std::int64_t rto_ms_max = 30'000;
  std::int64_t rpo_ms_max = 5'000;
  std::optional<std::int64_t> rpo_writes_max;
  std::string switch_command;  // run as: COMMAND FROM TO, when clients are to leave
};

struct Event {
  std::int64_t at_us = 0;
  std::int64_t wall_us = 0;
  std::string phase;
  std::string text;
};

struct DrillResult {
  std::string id;
  DrillOptions options;
  std::vector<std::string> regions;
  std::int64_t began_wall_us = 0;
  std::string survivor;
  std::optional<std::int64_t> fault_us, detected_us, cut_us, switched_us, healed_us, caught_up_us;
  std::string detected_by;
  Loss loss;           // at the cut-over
  Outcome lost_then;   // what became of those writes
  Outcome everything;  // and of all writes of the drill
  std::vector<Write> writes;
  std::uint64_t attempts = 0;
  std::uint64_t failures = 0;
  std::int64_t longest_outage_us = 0;
  std::int64_t pending_at_heal = 0;
  std::optional<std::int64_t> conflicts;  // empty: not known
  std::optional<bool> identical;          // empty: verify gave no answer
  std::string verify_output;
  std::vector<Event> timeline;
  std::vector<Sample> samples;
  std::map<std::string, std::string> latency;  // HdrHistogram percentile text, by region
};

// Whether every objective was met; `missed` gets a line for each that was not.
bool passed(const DrillResult& result, std::vector<std::string>& missed);

// What would happen, for --dry-run and `plan`.
std::string describe_plan(const cli::Deployment& deployment, const DrillOptions& options);

DrillResult run_drill(const cli::Deployment& deployment, const DrillOptions& options);

}  // namespace meridian::drill
