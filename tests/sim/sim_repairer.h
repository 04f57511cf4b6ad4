// SimRepairer: one region node's repairer on virtual time: the production walk, rules, digests and
// store operations, with a thin driver over the simulated network in place of the one on the KJ thread.
//
// As there: a round now and then looks where this region's flows stand at each peer, marks whom they
// cannot reach any more, and repairs one marked peer at a time.  A message that is lost ends the run,
// and a later round begins anew.  Whatever is under way ends with its node.
// Threads: one.  Borrows: Outside, which knows the peers' repairers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "region-node/repair/positions.h"
#include "region-node/repair/session.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class SimRepairer {
 public:
  using Answer = std::function<void(rpc::RepairAnswer)>;

  SimRepairer(std::size_t region, Outside& outside,
              std::vector<std::unique_ptr<SimRepairer>>& repairers);
  ~SimRepairer();
  SimRepairer(const SimRepairer&) = delete;
  SimRepairer& operator=(const SimRepairer&) = delete;

  // For ever.
  void start();
  // A peer's question.  Not answered when the node dies meanwhile.
  void serve(std::size_t peer, const rpc::RepairRequest& request, Answer answer);

  // Finished, begun by this region.
  [[nodiscard]] std::uint64_t repairs() const { return repairs_; }
  [[nodiscard]] const repair::SessionFigures& figures() const { return figures_; }
  // Whether a repair of the table is under way here, begun by either side.
  [[nodiscard]] bool mending(std::size_t table) const;
  // Whether anything is still to be done.
  [[nodiscard]] bool idle();

 private:
  struct Run;
  using Pair = std::pair<std::size_t, std::size_t>;  // table, peer

  SimNode& node() { return *outside_.nodes[region_]; }
  [[nodiscard]] store::TablePtr table(std::size_t number);
  // Whether the run of this region that is under way is that of the table with the peer.
  [[nodiscard]] bool runs_with(std::size_t table, std::size_t peer) const;
  void round();
  void check(std::size_t table, std::size_t peer);
  // Marks, clears or renews as the positions say, then goes on.
  void judge(std::size_t table, std::size_t peer, const repair::Stand& stand,
             std::function<void()> then);
  void excuse(std::size_t number, std::size_t peer);
  void thaw_if_due(const store::TableInfo& info);
  // Asks for repairs with the other survivors of a region that is down.
  void look_for_survivors();
  void change(store::RepairChange change,
              std::function<void(std::optional<std::vector<LogPosition>>)> then);
  // Sends a question to a peer's repairer and brings its answer back, over the bad network.
  void ask(std::size_t peer, rpc::RepairRequest request, Answer answer);
  [[nodiscard]] std::size_t number_of(const TableId& id) const;
  // Whether a peer's run that ends had begun with the replica as it is here now.
  [[nodiscard]] bool ends_as_begun(const Pair& pair);

  std::size_t region_;
  Outside& outside_;
  std::vector<std::unique_ptr<SimRepairer>>& repairers_;
  std::shared_ptr<Run> run_;
  std::map<Pair, std::int64_t> leases_;  // until when a peer's run holds a table
  // In which start of the node, and with which life of the replica here, a peer's run has begun.
  std::map<Pair, std::pair<std::uint32_t, std::optional<conflict::Version>>> served_;
  std::set<Pair> asked_;                 // to be repaired although no mark says so
  std::uint32_t asked_in_ = 0;           // the node's start in which they were
  std::map<std::size_t, std::int64_t> down_since_us_;
  std::uint64_t repairs_ = 0;
  repair::SessionFigures figures_;
};

}  // namespace meridian::sim
