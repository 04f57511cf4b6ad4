// SimReplicator: one region's replicator process on virtual time: a production Pump for each (table,
// shard, sink), a thin driver that performs its actions over the simulated network, and the production
// checkpoint database, saved to now and then as the replicator's own thread does.
//
// A crash loses the pumps, what the node was not told yet, and what was not saved yet; the node beside
// it goes on.  A stop saves, and tells.
// Threads: one.  Borrows: everything in Outside; the disk, which other replicators of the region share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "checkpoint/sqlite_store.h"
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
  std::vector<TableId> tables;

  [[nodiscard]] const TableId& table_of(std::uint32_t key) const {
    return tables[key % tables.size()];
  }
};

class FlowDriver;

class SimReplicator {
 public:
  struct FlowKey {
    std::size_t table;
    std::uint16_t shard;
    std::size_t sink;
    auto operator<=>(const FlowKey&) const = default;
  };

  // `luck`: what its chances are named after, beside its region.
  SimReplicator(std::size_t source, Outside& outside, SimDisk& disk, std::uint64_t luck);
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
  // Databases that could not be read, and were begun anew.
  [[nodiscard]] unsigned unreadable() const { return unreadable_; }

  void save(const FlowKey& flow, const LogPosition& position);
  // The region's node is there again and may have missed what it was told.
  void node_up();

 private:
  struct Acknowledged {
    LogPosition position;
    bool told = false;
  };
  void acknowledge(const FlowKey& flow, const LogPosition& position);
  // Does it once, `after_us` from now, unless this run is over by then.
  void soon(bool& pending, std::int64_t after_us, void (SimReplicator::*action)());
  void tell();
  void write_checkpoints();
  std::map<FlowKey, LogPosition> open_checkpoints();
  [[nodiscard]] checkpoint::CheckpointKey checkpoint_key(const FlowKey& flow) const;
  void end();

  std::size_t source_;
  Outside& outside_;
  SimDisk& disk_;
  std::uint64_t luck_;
  std::uint64_t starts_ = 0;
  bool up_ = false;
  unsigned unreadable_ = 0;
  std::uint64_t shipped_before_ = 0;
  std::vector<std::shared_ptr<FlowDriver>> drivers_;
  std::map<FlowKey, Acknowledged> acknowledged_;
  std::optional<checkpoint::SqliteCheckpointStore> checkpoints_;
  std::map<FlowKey, LogPosition> unsaved_;
  // Names the present run to what was scheduled by it.
  std::shared_ptr<bool> run_;
  bool telling_ = false;
  bool saving_ = false;
};

}  // namespace meridian::sim
