// Collector: finds up to where the tombstones of each table may be forgotten, and has the store forget
// them in small steps.
//
// A round every kRoundMs looks for tables with tombstones that are old enough; asks every replica of
// them that can be reached what it has (one call each, whatever the number of tables); finds the stable
// horizon (conflict/stable_horizon.h); and hands it to the writer, which takes collect_rows_max of them
// in a group and makes a pause between two steps.  Where there are no tombstones nothing is asked.
//
// What a replica told stays until it tells again, so one that is silent holds its tables back at what
// it told last, and at nothing after a restart of this node.  While a table is being repaired here its
// horizon rests: what the repair decides rests on it.
//
// Threads: the KJ thread.  Owns: a Reader.  Borrows: World.
// Errors: none leave it.
// Limits: rpc::kBarrierTablesMax tables in a round, in turn; CollectLimits.
// Source: ADR 0023.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "conflict/stable_horizon.h"
#include "region-node/peer/collection_status.h"
#include "region-node/peer/membership.h"
#include "region-node/store/store.h"
#include "rpc/completions.h"

namespace meridian::peer {

struct CollectLimits {
  std::int64_t retention_ms = 10LL * 60 * 1000;  // as the store's
  std::int64_t step_pause_ms = 20;
  std::int64_t stalled_after_ms = 60'000;  // past the retention
};

class Collector final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr std::int64_t kRoundMs = 2'000;

  struct World {
    store::Store& store;
    Membership& membership;
    const Clock& clock;
    kj::Timer& timer;
    std::shared_ptr<rpc::KjMailbox> mailbox;
    Logger log;
    std::function<bool(const TableId&)> mending;  // whether the table is being repaired here
  };
  explicit Collector(World world, CollectLimits limits = {});

  void start();
  // Of the tables that have old tombstones.
  [[nodiscard]] std::vector<CollectionStatus> status() const;

 private:
  using Told = std::map<RegionId, conflict::ReplicaState>;

  kj::Promise<void> rounds();
  kj::Promise<void> round();
  [[nodiscard]] bool collects(const store::TableInfo& table) const;
  // The tables that are looked at in this round.
  std::vector<store::TablePtr> due_tables();
  kj::Promise<void> ask_peers(const std::vector<store::TablePtr>& tables);
  kj::Promise<void> ask(const RegionId& peer, const std::vector<TableId>& tables);
  kj::Promise<void> collect(const TableId& id);
  kj::Promise<void> step(store::CollectStep step);
  conflict::StableHorizon find(const store::TableInfo& table);
  void note(const store::TableInfo& table, const conflict::StableHorizon& found);
  void say(CollectionStatus& now, const std::optional<CollectionStatus>& before) const;
  void taskFailed(kj::Exception&& failure) override;

  const World world_;
  const CollectLimits limits_;
  const RegionId self_;
  const std::unique_ptr<store::Reader> reader_;
  rpc::Completions<std::optional<store::CollectOutcome>> outcomes_;
  std::map<TableId, Told> told_;
  std::map<TableId, CollectionStatus> status_;
  std::optional<TableId> looked_to_;
  kj::TaskSet tasks_;  // last: cancelled first
};

}  // namespace meridian::peer
