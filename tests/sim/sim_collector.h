// SimCollector: one region node's collector on virtual time: the production horizon and store operations,
// with a thin driver over the simulated network in place of the one on the KJ thread.
//
// As there: a round now and then asks the replicas of each table that has tombstones what they have, and
// collects as far as what it was told allows.  What was told is forgotten with the node's run.
// Threads: one.  Borrows: Outside, the region's repairer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "conflict/stable_horizon.h"
#include "tests/sim/sim_repairer.h"

namespace meridian::sim {

class SimCollector {
 public:
  // `collected`: told after each step that a table has taken.
  SimCollector(std::size_t region, Outside& outside, SimRepairer& repairer,
               std::function<void(std::size_t table)> collected);

  // For ever.
  void start();
  [[nodiscard]] std::uint64_t collected() const { return collected_; }

 private:
  using Told = std::map<RegionId, conflict::ReplicaState>;

  SimNode& node() { return *outside_.nodes[region_]; }
  static conflict::ReplicaState state_of(SimNode& node, const store::TableInfo& table);
  void round();
  void ask(std::size_t table, std::size_t peer);
  void collect(std::size_t table);

  std::size_t region_;
  Outside& outside_;
  SimRepairer& repairer_;
  std::function<void(std::size_t)> on_collected_;
  std::map<std::size_t, Told> told_;  // by table
  std::uint32_t run_ = 0;             // of the node, that was told
  std::uint64_t collected_ = 0;
};

}  // namespace meridian::sim
