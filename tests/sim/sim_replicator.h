// SimReplicator: a replicator process of one region on virtual time: a production Pump for each (table,
// shard, sink) that it ships, heartbeats, a thin driver that performs its actions over the simulated
// network, and the production checkpoint database, saved to now and then as the replicator's own thread
// does.  Workers of one region share its shards by the production leases in that database.
//
// A crash loses the pumps, what the node was not told yet, and what was not saved yet; the node beside
// it goes on.  A stop saves, and tells.
// Threads: one.  Borrows: everything in Outside; the disk, which other replicators of the region share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "checkpoint/lease_worker.h"
#include "checkpoint/sqlite_store.h"
#include "common/rng.h"
#include "replicator/core/pump.h"
#include "tests/sim/findings.h"
#include "tests/sim/network.h"
#include "tests/sim/shape.h"
#include "tests/sim/sim_node.h"

namespace meridian::sim {

class SimReplicator;

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
  // Told when a region has taken barriers.
  std::function<void(std::size_t)> watermarks_moved;
  // Who ships what: by region, table and shard.
  std::map<std::tuple<std::size_t, std::size_t, std::uint16_t>, const SimReplicator*> shippers;
  // Regions that were restored from a copy, or lost what they had, and have broken their word since.
  std::set<std::size_t> forgetful;
  bool repaired = false;  // rows have come otherwise than by flows
  // The lives of which regions have forgotten some: they end when those hear of it.
  std::map<std::pair<RegionId, TableId>, conflict::Version> forgotten_lives = {};

  [[nodiscard]] bool forgot(std::size_t region) const { return forgetful.contains(region); }
  // Whether a region has been restored and lives on as if it had not: no peer has told it yet.
  [[nodiscard]] bool is_unaware(std::size_t region, const TableId& table) const {
    auto forgotten = forgotten_lives.find({nodes[region]->region(), table});
    return forgotten != forgotten_lives.end() &&
           nodes[region]->life_of(table, nodes[region]->region()) == forgotten->second;
  }

  [[nodiscard]] const TableId& table_of(std::uint32_t key) const {
    return tables[key % tables.size()];
  }
};

class FlowDriver;
class SimHeartbeat;

class SimReplicator {
 public:
  struct FlowKey {
    std::size_t table;
    std::uint16_t shard;
    std::size_t sink;
    auto operator<=>(const FlowKey&) const = default;
  };

  enum class Leases {
    shared,  // with the region's other workers
    deaf,    // thought dead long ago, and has not noticed: ships everything under leases of old
  };

  // `luck`: what its name and its chances are named after, beside its region.
  SimReplicator(std::size_t source, Outside& outside, SimDisk& disk, std::uint64_t luck,
                Leases leases);
  ~SimReplicator();
  SimReplicator(const SimReplicator&) = delete;
  SimReplicator& operator=(const SimReplicator&) = delete;

  void start();
  // The link to a sink is there again: those that wait may go on at once.
  void link_up(std::size_t sink);
  // A sink has left: what was known of its flows is forgotten, and they begin anew.
  void forget_sink(std::size_t sink);
  // The region's node is another one: flows begin anew, each with the checkpoint that is known.
  void own_node_changed();
  void stop();
  void crash();
  [[nodiscard]] bool up() const { return up_; }

  // Of all flows of all runs so far.
  [[nodiscard]] std::uint64_t records_shipped() const;
  [[nodiscard]] std::vector<std::string> states() const;
  // Databases that could not be read, and were begun anew.
  [[nodiscard]] unsigned unreadable() const { return unreadable_; }

  void save(const FlowKey& flow, const LogPosition& position);
  // Shards that it ships.
  [[nodiscard]] std::size_t held() const { return tokens_.size(); }
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
  void start_driver(const FlowKey& flow, std::optional<LogPosition> checkpoint);
  void start_deaf();
  void start_heartbeat();
  void lease_round();
  void gain(const checkpoint::LeaseWorker::Gained& gained);
  std::vector<checkpoint::Checkpoint> end_lease(const checkpoint::LeaseKey& lease);
  [[nodiscard]] std::set<checkpoint::LeaseKey> shards() const;
  [[nodiscard]] std::size_t table_of(const checkpoint::LeaseKey& lease) const;
  [[nodiscard]] std::uint64_t token_of(const FlowKey& flow) const;
  void check_saved(const std::vector<checkpoint::Checkpoint>& saves,
                   const std::vector<checkpoint::Checkpoint>& refused);

  std::size_t source_;
  Outside& outside_;
  SimDisk& disk_;
  std::uint64_t luck_;
  Leases leases_mode_;
  std::uint64_t starts_ = 0;
  bool up_ = false;
  unsigned unreadable_ = 0;
  std::uint64_t shipped_before_ = 0;
  std::map<FlowKey, std::shared_ptr<FlowDriver>> drivers_;
  std::shared_ptr<SimHeartbeat> heartbeat_;
  std::map<FlowKey, Acknowledged> acknowledged_;
  std::optional<checkpoint::SqliteCheckpointStore> checkpoints_;
  std::optional<checkpoint::LeaseStore> lease_store_;
  std::optional<checkpoint::LeaseWorker> leases_;
  std::map<checkpoint::LeaseKey, std::uint64_t> tokens_;  // of what it ships
  std::map<FlowKey, LogPosition> unsaved_;
  // Names the present run to what was scheduled by it.
  std::shared_ptr<bool> run_;
  bool telling_ = false;
  bool saving_ = false;
  bool looking_ = false;
};

}  // namespace meridian::sim
