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

#include "common/lag_counts.h"
#include "tools/meridian/deployment.h"

namespace meridian::cli {

struct Link {
  std::string table;  // empty for a sum over tables
  std::string source;
  std::string sink;
  // A state of the replicator's flow; "unreachable" when the replicator does not answer, with the
  // node's figures; "unknown" when its node does not either; "starting" when it has not begun;
  // "repairing" while the two regions compare the table and mend what differs; "quarantined" when all
  // is well but for records that the sink could not apply.
  std::string state;
  std::string reason;
  LagCounts records;     // that arrived in the window
  LagCounts probes;  // that did
  std::optional<std::int64_t> pending_records;
  std::optional<std::int64_t> pending_bytes;
  std::optional<double> oldest_pending_ms;
  std::optional<double> clock_offset_ms;
  std::string trend;  // of the oldest pending's age: steady, growing, shrinking; empty: not known
  // By the source's clock, in us: commit of the newest record that is at the sink, and begin of the
  // newest probe that is.
  std::optional<std::int64_t> applied_us;
  std::optional<std::int64_t> probe_us;
  // By the source's clock, in us: everything that it wrote up to then is at the sink, as the sink says.
  std::optional<std::int64_t> watermark_us;
  std::int64_t parked = 0;  // records of the source in the sink's quarantine
  std::int64_t collapsed_records = 0;  // left out of a backlog, since the workers' start
  std::int64_t collapsed_bytes = 0;

  // The lag as it is shown: that of records; of probes when there was no record.
  [[nodiscard]] const LagCounts& lag() const { return records.count() > 0 ? records : probes; }
  [[nodiscard]] std::string measured_by() const;  // empty: by nothing
  [[nodiscard]] std::optional<double> quantile_ms(double quantile) const;
  [[nodiscard]] std::optional<double> max_ms() const;
};

struct LinkReport {
  std::vector<Link> links;            // ascending by table, source, sink
  std::vector<std::string> problems;  // daemons that did not answer, a line each
  bool answered = false;              // at least one node or replicator did
};

inline constexpr std::int64_t kLagWindowMs = 60'000;

// `window_ms`: over which lag is told.
LinkReport read_links(const Deployment& deployment, std::int64_t window_ms = kLagWindowMs);

// All tables of a link as one: its worst state, its lag over all records, what waits in all.
std::vector<Link> sum_by_link(const std::vector<Link>& links);

// By (source, sink): the sink's wall clock minus the source's, in ms, as the source's replicator has
// measured it.
std::map<std::pair<std::string, std::string>, double> read_offsets(const Deployment& deployment);

}  // namespace meridian::cli
