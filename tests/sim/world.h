// World: whole regions on virtual time in one process: nodes, replicators, links, clients, faults.
//
//     start ─> storm (load and faults) ─> calm (all mended, wait until nothing moves) ─> judge
//
// A scenario may do the same by hand: run_for(), node(), faults() and so on, then calm() and judge().
// Deterministic: a Script decides everything.
// Threads: one.  Owns: everything in it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "tests/sim/control_steps.h"
#include "tests/sim/faults.h"
#include "tests/sim/findings.h"
#include "tests/sim/history.h"
#include "tests/sim/judge.h"
#include "tests/sim/lineages.h"
#include "tests/sim/network.h"
#include "tests/sim/script.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_collector.h"
#include "tests/sim/sim_copier.h"
#include "tests/sim/sim_drain.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_repairer.h"
#include "tests/sim/sim_replicator.h"
#include "tests/sim/stream_watch.h"
#include "tests/sim/trace.h"
#include "tests/sim/workload.h"

namespace meridian::sim {

class World {
 public:
  // `trace_out` may be null.
  World(Script script, std::ostream* trace_out);
  // With the events that its load and faults ask for.
  World(const Shape& shape, std::ostream* trace_out);
  ~World();

  // All of a run.
  void run();

  void storm();
  void run_for(std::int64_t ms);
  // Mends everything, waits until the regions agree, then sees that nothing more happens.
  void calm();
  void judge();

  [[nodiscard]] std::size_t regions() const { return nodes_.size(); }
  SimNode& node(std::size_t region) { return *nodes_[region]; }
  SimReplicator& replicator(std::size_t region) { return *replicators_[region]; }
  SimRepairer& repairer(std::size_t region) { return *repairers_[region]; }
  SimClock& clock(std::size_t region) { return *clocks_[region]; }
  Network& network() { return network_; }
  Faults& faults() { return *faults_; }
  Workload& workload() { return *workload_; }
  Drains& drains() { return *drains_; }
  [[nodiscard]] const TableId& table_of(std::uint32_t key) const { return outside_.table_of(key); }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] History& history() { return history_; }
  [[nodiscard]] const Findings& findings() const { return findings_; }
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_.hash(); }
  [[nodiscard]] std::uint64_t events() const { return queue_.events_run(); }
  [[nodiscard]] std::int64_t now_ms() const { return queue_.now_ms(); }
  SimCollector& collector(std::size_t region) { return *collectors_[region]; }
  SimCopier& copier(std::size_t region) { return *copiers_[region]; }
  // Gives a region that has it not a replica of each table, to be filled by itself.
  void add_replica(std::size_t region) { join(region); }
  // Rows of all tables, tombstones included.  REQUIRES: the node is up.
  [[nodiscard]] std::vector<store::Row> rows(std::size_t region) const;
  // Writes that lost unseen, as the judge counted them.
  [[nodiscard]] std::size_t losers() const;
  // True when every sink stands at the end of every log, every source knows it, and nobody is to be
  // repaired.
  bool at_rest();

 private:
  void start();
  void introduce_everybody();
  void create_tables();
  [[nodiscard]] store::TableSpec table_spec(std::uint64_t table) const;
  [[nodiscard]] bool is_known(std::size_t region, const TableId& id) const;
  void join(std::size_t region);
  void run(const Event& event);
  void watch();
  void node_started(std::size_t region);
  void region_forgot(std::size_t region);
  void check_clock(std::size_t region);
  void check_lost_log(std::size_t region);
  void judge_file(std::size_t region);
  [[nodiscard]] bool memberships_agree() const;
  bool flow_at_rest(std::size_t source, std::size_t sink, const TableId& table, ShardId shard);
  bool wait_for_rest(std::int64_t bound_ms);
  [[nodiscard]] std::uint64_t shipped() const;
  [[nodiscard]] std::vector<std::uint64_t> log_ends();
  void check_silence();
  void drain_everything();
  void watermarks_move_on();
  bool settle_quarantine();
  void say_stuck();
  void say_unfinished();  // which flows
  void say_unrepaired();
  [[nodiscard]] std::int64_t rest_bound_ms() const;

  const Shape shape_;
  const std::vector<Event> events_;
  EventQueue queue_;
  Trace trace_;
  Findings findings_;
  Network network_;
  std::vector<std::unique_ptr<SimClock>> clocks_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  Outside outside_;
  std::vector<std::unique_ptr<SimDisk>> replicator_disks_;
  std::vector<std::unique_ptr<SimReplicator>> replicators_;
  std::vector<std::unique_ptr<SimRepairer>> repairers_;
  std::vector<std::unique_ptr<SimCollector>> collectors_;
  std::vector<std::unique_ptr<SimCopier>> copiers_;
  History history_;
  Lineages lineages_;
  std::vector<Judge> judges_;  // one for each table
  std::vector<std::unique_ptr<StreamWatch>> watches_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<Drains> drains_;
  std::unique_ptr<ControlSteps> control_;
  std::unique_ptr<Faults> faults_;
  // As they were after the last commit: of each region and table.
  std::map<std::pair<std::size_t, TableId>, conflict::Version> lives_;
  bool watching_ = false;
  bool steady_ = false;  // no clock is stepped
  bool stuck_ = false;
};

}  // namespace meridian::sim
