// SimHeartbeat: the heartbeats of one run of a replicator: the production core, which keeps the barriers
// that wait, beaten by the event queue and carried over the simulated network.
//
// A barrier may be carried twice, late, or to a sink whose flows are far from it; the sink decides.
// Threads: one.  Kept alive by its SimReplicator; what comes later finds it gone.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "replicator/core/heartbeats.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class SimHeartbeat : public std::enable_shared_from_this<SimHeartbeat> {
 public:
  // `carries`: whether this worker is the one who does so for a table.
  SimHeartbeat(std::size_t source, Outside& outside, std::function<bool(const TableId&)> carries);

  void start();

 private:
  void beat();
  void follow();
  void take();
  void carry(std::size_t sink);
  [[nodiscard]] SimNode& node() { return *outside_.nodes[source_]; }

  std::size_t source_;
  Outside& outside_;
  std::function<bool(const TableId&)> carries_;
  replicator::Heartbeats beats_;
};

}  // namespace meridian::sim
