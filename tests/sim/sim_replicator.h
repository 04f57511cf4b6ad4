// SimReplicator: one region's replicator process on virtual time: a production Pump for each (shard,
// sink), a thin driver that performs its actions over the simulated network, and checkpoints.
//
// A crash loses the pumps, what the node was not told yet, and the newest few checkpoints; the node
// beside it goes on.  A stop saves, and tells.
// Threads: one.  Borrows: everything in Outside.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/rng.h"
#include "replicator/core/pump.h"
#include "tests/sim/findings.h"
#include "tests/sim/network.h"
#include "tests/sim/shape.h"
#include "tests/sim/sim_node.h"

namespace meridian::sim {

// What the drivers of all regions act upon.
struct Outside {
  const Shape& shape;
  EventQueue& queue;
  Network& network;
  Trace& trace;
  Findings& findings;
  std::vector<std::unique_ptr<SimNode>>& nodes;
  std::vector<NodeId> node_ids;  // as said in hello()
  TableId table;
};

class FlowDriver;

class SimReplicator {
 public:
  struct FlowKey {
    std::uint16_t shard;
    std::size_t sink;
    auto operator<=>(const FlowKey&) const = default;
  };

  SimReplicator(std::size_t source, Outside& outside, Rng rng);
  ~SimReplicator();
  SimReplicator(const SimReplicator&) = delete;
  SimReplicator& operator=(const SimReplicator&) = delete;

  void start();
  // The link to a sink is there again: those that wait may go on at once.
  void link_up(std::size_t sink);
  void stop();
  void crash();
  [[nodiscard]] bool up() const { return up_; }

  // Of all flows of all runs so far.
  [[nodiscard]] std::uint64_t records_shipped() const;
  [[nodiscard]] std::vector<std::string> states() const;

  void save(const FlowKey& flow, const LogPosition& position);
  // The region's node is there again and may have missed what it was told.
  void node_up();

 private:
  struct Acknowledged {
    LogPosition position;
    bool told = false;
  };
  void acknowledge(const FlowKey& flow, const LogPosition& position);
  void tell_soon();
  void tell();
  void end();

  std::size_t source_;
  Outside& outside_;
  Rng rng_;
  bool up_ = false;
  std::uint64_t shipped_before_ = 0;
  std::vector<std::shared_ptr<FlowDriver>> drivers_;
  std::map<FlowKey, Acknowledged> acknowledged_;
  // Names the present run to what was scheduled by it.
  std::shared_ptr<bool> run_;
  bool telling_ = false;
  // Newest last; a crash may take some of the newest away.
  std::map<FlowKey, std::deque<LogPosition>> checkpoints_;
};

}  // namespace meridian::sim
