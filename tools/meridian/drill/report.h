// The report of a drill: report.json first (docs/DRILLS.md has its schema), everything else is
// made from it.
//
//   report.json report.md report.html timeline.jsonl lag.csv latency-REGION.hgrm
//   late-writes.jsonl beaten-writes.jsonl lost-writes.jsonl stale-reads.jsonl conflicts.jsonl
//   verify.json config/
//
// Threads: one.  Errors: std::runtime_error when the folder cannot be written or read.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <utility>
#include <vector>

#include "tools/meridian/drill/drill.h"

namespace meridian::drill {

inline constexpr int kSchemaVersion = 1;

// A line of timeline.jsonl, without its end.
std::string timeline_line(const Event& event);
boost::json::object report_json(const DrillResult& result);
// The block that comes first: PASS or FAIL, and why.
std::string verdict_text(const boost::json::object& report);
// What each figure means, for those who read a report without the manual.
const std::vector<std::pair<const char*, const char*>>& definitions();
std::string report_markdown(const boost::json::object& report);
// Self-contained: styles and drawings inside, nothing loaded.
std::string report_html(const boost::json::object& report, const DrillResult& result);

// Writes the folder; answers the report.
boost::json::object save_report(const DrillResult& result, const cli::Deployment& deployment,
                                const std::string& folder);
boost::json::object load_report(const std::string& folder);

}  // namespace meridian::drill
