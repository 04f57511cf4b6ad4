// FaultPages: the part of a daemon's admin endpoint that shows its links' faults and makes them.
//
//   GET  /v1/links                  {"region", "links": [{"from", "to", "faults": [{"kind",
//                                   "left_ms", "for_ms", "delay_ms", "jitter_ms",
//                                   "bytes_per_second", "lost_permille", "text"}]}]}
//   POST /v1/links/REGION/KIND      begins a fault of the link to REGION; KIND is pause, delay, lose,
//        ?for_ms=3000               limit or cut.  Required: for_ms; with delay, delay_ms (jitter_ms
//        &delay_ms=80&jitter_ms=10  may be added); with lose, lost_permille; with limit,
//        &lost_permille=20          bytes_per_second.  One of the same kind that holds already is
//        &bytes_per_second=100000   replaced.  Answers the link.
//   POST /v1/links/REGION/heal      ends all faults of the link; answers the link
//
// Errors: 400 and 404 with {"error": "..."}; 503 when the KJ thread does not answer.
// Threads: handle() and collect() on any one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "common/http/server.h"
#include "common/metrics.h"
#include "rpc/faults/link_faults.h"

namespace meridian::rpc {

class FaultPages {
 public:
  using Task = std::function<void(LinkFaults&)>;
  // Runs a task where the faults live and waits for it; false when it may not have run.  The task
  // must not refer to its caller's stack: it may run later.
  using Run = std::function<bool(Task)>;

  FaultPages(RegionId region, Run run) : region_(region), run_(std::move(run)) {}

  // Empty when the page is not one of these.
  std::optional<http::Response> handle(const http::Request& request) const;
  // meridian_link_fault and meridian_link_faults_total.
  void collect(MetricsPage& page) const;

 private:
  std::optional<std::vector<LinkFaults::Status>> read() const;
  http::Response list() const;
  http::Response change(std::string_view target) const;

  const RegionId region_;
  const Run run_;
};

}  // namespace meridian::rpc
