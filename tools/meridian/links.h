// The replication links of a deployment with their figures, gathered from all nodes and
// replicators.
//
// Threads: one.  What is not known is empty, never zero.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/meridian/deployment.h"

namespace meridian::cli {

struct Link {
  std::string table;
  std::string source;
  std::string sink;
  // A state of the replicator's flow; "unreachable" when the replicator does not answer, with the
  // node's figures; "unknown" when its node does not either; "starting" when it has not begun.
  std::string state;
  std::string reason;
  std::optional<double> p50_ms;
  std::optional<double> p95_ms;
  std::optional<double> p99_ms;
  std::optional<double> max_ms;
  std::optional<std::int64_t> pending_records;
  std::optional<double> oldest_pending_ms;
  std::optional<double> clock_offset_ms;
};

struct LinkReport {
  std::vector<Link> links;            // ascending by table, source, sink
  std::vector<std::string> problems;  // daemons that did not answer, a line each
  bool answered = false;              // at least one node or replicator did
};

LinkReport read_links(const Deployment& deployment);

// By (source, sink): the sink's wall clock minus the source's, in ms, as the source's replicator has
// measured it.
std::map<std::pair<std::string, std::string>, double> read_offsets(const Deployment& deployment);

}  // namespace meridian::cli
