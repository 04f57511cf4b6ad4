// Drill: breaks one region on purpose under load, and measures how long clients were without it
// (RTO), what would have been lost had it never come back (RPO), and what became of every write.
//
//   PREFLIGHT -> BASELINE -> INJECT -> DETECT -> EVACUATE -> STEADY -> HEAL -> CATCH-UP
//   -> FAILBACK -> VERIFY
//
// What is broken is always healed: at the end, at Ctrl-C, at an error, and when the drill itself is
// killed (operator.h).
//
// Threads: one.  Errors: Refused (nothing was touched); others after healing.  A drill that Ctrl-C or
// a stop condition ends is healed and answers what it has measured, with `aborted` set.
// Source: definitions of the figures in docs/DRILLS.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/meridian/deployment.h"
#include "tools/meridian/drill/ledger.h"
#include "tools/meridian/drill/scenario.h"
#include "tools/meridian/drill/stop.h"
#include "tools/meridian/drill/watch.h"

namespace meridian::drill {

// The preflight said no; nothing was touched.  One reason per line.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
struct DrillOptions {
  std::string id;
  std::string folder;  // of the report; its timeline.jsonl grows while the drill runs
  std::string scenario;
  std::string region;  // empty: the first of the deployment
  std::int64_t baseline_ms = 5'000;
  std::int64_t fault_ms = 15'000;
  std::int64_t failback_ms = 3'000;
  std::int64_t catch_up_ms_max = 120'000;
  // A link whose oldest record waits longer than this counts as stalled.
  std::int64_t stall_ms = 2'000;
  std::int64_t clock_by_ms = 600'000;  // clock-step
  double rate = 200;
  std::uint64_t seed = 1;
  std::int64_t rto_ms_max = 30'000;
  std::int64_t rpo_ms_max = 5'000;
  std::optional<std::int64_t> rpo_writes_max;
  std::string health_command;  // run as: COMMAND REGION; other than 0: unhealthy
  std::string switch_command;  // run as: COMMAND FROM TO, when clients are to leave
  std::vector<StopCondition> stops;
};

struct Event {
  std::int64_t at_us = 0;
  std::int64_t wall_us = 0;
  std::string phase;
  std::string text;
};

// Moments are microseconds since the drill began; empty for what did not happen.
struct DrillResult {
  std::string id;
  DrillOptions options;
  std::vector<std::string> regions;
  std::map<std::string, std::string> versions;  // of the nodes, by region
  std::string command_line;
  std::int64_t began_wall_us = 0;
  std::string aborted;  // why; empty when the drill came to its end
  std::string survivor;
  std::optional<std::int64_t> fault_us, detected_us, cut_us, switched_us, healed_us, caught_up_us;
  std::optional<std::int64_t> returned_us;  // clients were told to go back
  std::optional<std::int64_t> back_us;      // and the region acknowledged the first of their writes
  std::string detected_by;
  // The rest is empty where the drill did not come so far.
  // Of the region's writes, those that the survivor lacked: at the cut-over, or, where clients
  // stayed, at the end of the fault.
  std::optional<Loss> loss;
  std::optional<Outcome> lost_then;   // what became of those writes
  std::optional<Loss> return_loss;    // of the survivor's writes, those that the region lacked at the return
  std::optional<Outcome> everything;  // of all writes of the drill
  bool late_switch = false;           // the switch took longer than the fault
  std::vector<std::string> silent;    // regions that did not show their writes in the end
  std::vector<Write> writes;
  std::uint64_t attempts = 0;
  std::uint64_t failures = 0;
  std::int64_t longest_outage_us = 0;
  std::int64_t return_outage_us = 0;
  std::uint64_t reads = 0;
  std::vector<StaleRead> stale_reads;
  std::int64_t pending_at_heal = 0;
  std::optional<std::vector<std::string>> conflicts;  // a JSON object each; empty: not known
  std::optional<bool> identical;                      // empty: verify gave no answer
  std::string verify_output;
  std::vector<Event> timeline;
  std::vector<Sample> samples;
  std::map<std::string, std::string> latency;  // HdrHistogram percentile text, by region
};

// Time without service, from the fault to the first write that another region acknowledged; of a
// planned drill, from the moment at which clients were told to go.
std::optional<std::int64_t> rto_us(const DrillResult& result);
// Whether every objective was met; `missed` gets a line for each that was not.
bool passed(const DrillResult& result, std::vector<std::string>& missed);

// What would happen, for --dry-run and `plan`.
std::string describe_plan(const cli::Deployment& deployment, const DrillOptions& options);

DrillResult run_drill(const cli::Deployment& deployment, const DrillOptions& options);

}  // namespace meridian::drill
