// Repairer: notices which peers hold a table otherwise than this region does and cannot be brought
// along by the flows, mends that with them, and watches that nothing else has gone apart.
//
// A round every kRoundMs looks, for each table and each peer that can be reached, where our flows stand
// at the peer (at every connect, then every recheck_ms, and as long as something is wrong):
//
//     our log was trimmed past it            the peer is marked: repair
//     our log has never been there           this region lost what it wrote: its log is renewed, all
//                                            peers are marked, nothing is written here until one of
//                                            them is repaired
//     the engine cut it loose (log bound)    marked already: repair
//
// An answer counts for a shard only if the peer has not acknowledged more of it since it was asked.
//
// A peer that is marked is repaired by a RepairRun, one at a time; what fails is tried again in a later
// round.  While nothing is wrong, a scrub compares tables with the peers whose names come after ours,
// slowly, for ever; it gives way to a repair.  A scrub that finds rows of a third region which cannot be
// reached, and which only one of the two has, asks for a repair: the survivors of a dead region trade
// what they hold of it.  A region that falls silent is reason to look at once.  A link that is paused on
// purpose carries neither.
//
// Threads: the KJ thread.  Borrows: store, membership, clock, timer.
// Owns: the thread that reads rows.
// Errors: none leave it; they are logged and counted.
// Limits: one run of its own at a time; RepairLimits.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "region-node/peer/membership.h"
#include "region-node/peer/repair_run.h"
#include "region-node/peer/repair_status.h"
#include "region-node/peer/row_reader.h"
#include "region-node/repair/positions.h"
#include "region-node/store/store.h"
#include "rpc/faults/link_faults.h"
#include "rpc/repair.h"

namespace meridian::peer {

struct RepairLimits {
  std::int64_t recheck_ms = 30'000;       // of a peer with which nothing was wrong
  std::int64_t lease_ms = 60'000;         // the other side's run is over when it is silent for so long
  std::int64_t scrub_pause_ms = 60'000;   // between two scrubs of a table with a peer
  std::int64_t survivors_after_ms = 5'000;  // that a third region has been silent
  std::uint64_t scrub_rows_per_second = 20'000;
  std::int64_t thaw_ms = 1'000;           // at least, from a renewal to the first write
};

class Repairer final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr std::int64_t kRoundMs = 1'000;

  struct World {
    store::Store& store;
    Membership& membership;
    const Clock& clock;
    kj::Timer& timer;
    std::shared_ptr<rpc::KjMailbox> mailbox;
    rpc::LinkFaults& faults;
    Logger log;
  };
  explicit Repairer(World world, RepairLimits limits = {});

  void start();
  // Another region's question.
  kj::Promise<rpc::RepairAnswer> answer(RegionId peer, rpc::RepairRequest request);
  // Repairs the table with the peer, in the rounds to come, whether or not anything looks wrong.
  void ask_repair(const TableId& table, const RegionId& peer);
  // The same of all tables that a region should hold, with every peer, the region included: it has
  // lost what it had, each of the others may be the only one that has some of it, and the region is
  // filled by one of them.
  void ask_all(const RegionId& region);

  [[nodiscard]] std::vector<RepairStatus> status() const;
  // Whether a repair of the table is under way here, begun by either side.
  [[nodiscard]] bool mending(const TableId& table) const;

 private:
  using Pair = std::pair<TableId, RegionId>;
  struct State {
    RepairStatus status;
    std::int64_t check_at_ms = 0;   // monotonic
    std::int64_t served_until_ms = 0;  // the peer's run holds the table until then
    // The life of the replica here with which the peer's run has begun, in this process.
    std::optional<conflict::Version> served_life;
    std::int64_t scrub_at_ms = 0;
    std::uint64_t connects = 0;     // of the session, when it was checked
    bool asked = false;             // by an operator
    bool same_members = false;      // the peer went by our membership, when it was checked
    bool cut_loose = false;         // and it has been said
    std::set<RegionId> mourned;     // third regions that fell silent: a scrub has looked since
  };
  using Changed = std::optional<std::vector<LogPosition>>;

  [[nodiscard]] std::int64_t now_ms() const { return world_.clock.monotonic_ms(); }
  void say_lost(const store::TableInfo& table);
  void say_cut_loose(const store::TableInfo& table, const RegionId& peer, State& state);
  State& state_of(const store::TableInfo& table, const RegionId& peer);
  kj::Promise<void> rounds();
  kj::Promise<void> round();
  kj::Promise<void> look_at(store::TablePtr table, RegionId peer);
  kj::Promise<void> check(store::TablePtr table, RegionId peer);
  // `acknowledged`: by the peer, before it is asked.
  kj::Promise<void> check_from(store::TablePtr table, RegionId peer,
                               std::vector<LogPosition> acknowledged);
  kj::Promise<void> judge(store::TablePtr table, RegionId peer, repair::Stand stand);
  kj::Promise<void> excuse(const TableId& id, const RegionId& peer);
  kj::Promise<void> run(store::TablePtr table, RegionId peer, repair::Purpose purpose);
  void finished(const store::TableInfo& table, const RegionId& peer, repair::Purpose purpose,
                const RunFigures& figures, std::int64_t began_ms);
  void scrubbed(const store::TableInfo& table, const RegionId& peer, const RunFigures& figures);
  // After a repair: the alarm of a scrub is not left standing until the next one is due.
  void scrub_again(State& state) const;
  void begin_scrub(store::TablePtr table, RegionId peer);
  void end_scrub();
  kj::Promise<void> begin_run(store::TablePtr table, RegionId peer, repair::Purpose purpose,
                              rpc::Session& session);
  void failed(const store::TableInfo& table, const RegionId& peer, const kj::Exception& failure);
  // Looks who has fallen silent, and whose copies are to be compared because of it.
  void note_silence();
  void look_for_survivors(const store::TableInfo& table, const RegionId& peer, State& state);
  // Whether what is on its way from a region will not come by itself.
  [[nodiscard]] bool is_lost(const store::TableInfo& table, const RegionId& origin);
  kj::Promise<void> thaw_if_due(store::TablePtr table);
  [[nodiscard]] static bool is_wanted(const store::TableInfo& table, const RegionId& peer,
                                      const State& state);
  [[nodiscard]] bool scrub_due(const store::TableInfo& table, const State& state,
                               const RegionId& peer) const;
  kj::Promise<Changed> change(store::RepairChange change);

  // Serving.
  kj::Promise<rpc::RepairAnswer> serve(RegionId peer, rpc::StateRequest request);
  kj::Promise<rpc::RepairAnswer> serve(RegionId peer, rpc::BeginRequest request);
  kj::Promise<rpc::RepairAnswer> serve(RegionId peer, rpc::DigestRequest request);
  kj::Promise<rpc::RepairAnswer> serve(RegionId peer, rpc::CompareRequest request);
  kj::Promise<rpc::RepairAnswer> serve(RegionId peer, rpc::FetchRequest request);
  kj::Promise<rpc::RepairAnswer> serve(RegionId peer, rpc::RepairWork request);
  kj::Promise<rpc::RepairAnswer> serve(RegionId peer, rpc::FinishRequest request);
  enum class Parked { counted, told };
  kj::Promise<rpc::StateAnswer> state_for(RegionId peer, TableId table, std::uint16_t shards,
                                          Parked parked);
  // A session over which the peer can be compared with; null if it cannot be reached, speaks an older
  // protocol, or its link is paused on purpose.
  rpc::Session* open_to(const RegionId& peer);
  [[nodiscard]] store::TablePtr shared_with(const TableId& table, const RegionId& peer) const;
  void taskFailed(kj::Exception&& failure) override;

  const World world_;
  const RepairLimits limits_;
  const RegionId self_;
  rpc::Completions<Changed> changes_;
  rpc::Completions<rpc::RepairOutcome> outcomes_;
  std::map<Pair, State> states_;
  std::map<RegionId, std::int64_t> silent_since_ms_;  // monotonic; regions that cannot be reached
  std::set<TableId> lost_;  // tables of which this region has lost some of its past, and said so
  std::optional<Pair> running_;
  std::unique_ptr<RepairRun> run_;
  RowReader rows_;
  kj::Maybe<kj::Promise<void>> scrub_;  // while the run is a comparison
  kj::TaskSet tasks_;  // last: cancelled first
};

}  // namespace meridian::peer
