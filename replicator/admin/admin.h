// Admin: the operator's endpoint of a replicator.
//
//   GET /livez      200 while the process runs; /healthz is the same
//   GET /version    the version, as text
//   GET /readyz     200 when the own region node answers, else 503 with the reason
//   GET /metrics    Prometheus text
//   GET /v1/status  JSON, see below
//   GET /v1/lag?window_ms=60000  {"region", "worker", "window_ms", "links": [as below, and
//       "record_lag", "probe_lag": {"max_us", "counts": [[bound_us, count], ...]}]}, so that the
//       figures of several workers can be put together; a window of at most five minutes
//   /v1/links...    faults on purpose (rpc/faults/pages.h)
//
// /v1/status, times in milliseconds, null for what is not known:
//   {"region", "version", "ready", "reason", "window_ms",
//    "links": [one per (table, sink):
//       {"table", "table_id", "source", "sink",
//        "state",              idle|asking|running|waiting|held|backing_off|repair_needed, or what
//                              is done to the link on purpose: cut|paused|limited|lossy|delayed
//        "flow_state",         the same without faults
//        "reason",             why it is not running or waiting
//        "faults": [{"state", "text", "left_ms"}],
//        "p50_ms", "p95_ms", "p99_ms", "max_ms",   lag of what arrived in the last window_ms
//        "measured_by",        records, probes when there was no record, null when neither
//        "records",            that arrived since the start
//        "records_collapsed", "bytes_collapsed",   left out since the start (core/collapse.h)
//        "pending_records", "pending_bytes", "oldest_pending_ms",
//        "trend",              of that age: steady|growing|shrinking|unknown
//        "applied_us",         commit time of the newest record that is at the sink
//        "probe_us",       when the newest probe that has arrived began
//        "clock_offset_ms"}],  sink's clock minus the source's; the lag is corrected by it
//    "flows": [one per (table, shard, sink):
//       {"table", "table_id", "shard", "sink", "state", "reason", "pending_records",
//        "pending_bytes", "oldest_pending_ms", "acknowledged": {"start", "sequence"}, "restarts",
//        "records_shipped", "records_acknowledged", "records_collapsed", "bytes_collapsed",
//        "in_flight_batches", "in_flight_bytes"}],
//    "peers": [one per region node:
//       {"region", "own", "connected", "connects", "protocol", "reason",
//        "trouble",            none|unreachable|silent|tls|refused
//        "round_trip_ms", "clock_offset_ms"}],
//    "worker",               empty when it shares with nobody
//    "leases": [one per (table, shard):
//       {"table", "table_id", "shard", "owner", "wanted", "token", "own",
//        "held_ms",            since when it is held: exact when "own", else since it was first seen
//        "silent_ms"}],        since its holder's last sign of life, as this worker saw it
//    "lease_ms",             a holder that is silent for so long loses its leases
//    "lease_look_ms",        since this worker last looked at the table
//    "leases_held", "leases_gained", "leases_lost", "lease_rounds_failed",
//    "checkpoint_saves_failed"}
// 64-bit identities are hexadecimal strings, because JSON numbers are not exact there.
//
// Threads: handle() runs on the admin server's thread.  Borrows: the replicator.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/http/server.h"
#include "common/metrics.h"
#include "replicator/supervisor.h"
#include "rpc/faults/pages.h"

namespace meridian::replicator {

class Admin {
 public:
  // `more`: adds to the metrics what is not the replicator's.
  Admin(Replicator& replicator, RegionId region, std::string version,
        std::function<void(MetricsPage&)> more);

  [[nodiscard]] http::Response handle(const http::Request& request) const;

 private:
  [[nodiscard]] std::string metrics() const;

  Replicator& replicator_;
  const rpc::FaultPages fault_pages_;
  const std::string version_;
  const std::function<void(MetricsPage&)> more_;
};

std::string status_json(const ReplicatorStatus& status, const std::string& version);
std::string lag_json(const ReplicatorStatus& status);
void collect(const ReplicatorStatus& status, MetricsPage& page);
// What is done to a link on purpose explains how it is, unless something worse is the matter.
std::string_view link_state(const LinkStatus& link);

}  // namespace meridian::replicator
