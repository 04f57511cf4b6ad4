// Flows: all flows of a replicator and the links that they share; follows the list of replicated
// tables.
//
// Threads: the KJ thread.  Owns: sessions to the peers, flows, lag figures.
// Borrows: World.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "replicator/io/acknowledger.h"
#include "replicator/io/checkpoint_writer.h"
#include "replicator/io/flow.h"
#include "replicator/io/heartbeat.h"
#include "replicator/io/lease_keeper.h"
#include "replicator/status.h"
#include "rpc/faults/link_faults.h"
#include "rpc/messages.h"
#include "rpc/session.h"
#include "rpc/tls.h"

namespace meridian::replicator {

using Addresses = std::vector<std::pair<RegionId, std::string>>;

class Flows {
 public:
  struct World {
    RegionId region;
    PumpLimits limits;
    std::set<std::string> collapse_tables;
    rpc::Session& source;
    Acknowledger& acknowledger;
    CheckpointWriter& checkpoints;
    kj::Network& network;
    kj::Timer& timer;
    const Clock& clock;
    Rng& rng;
    Logger log;
    rpc::LinkFaults& faults;
    rpc::Tls* tls;  // null: plain text
    std::uint32_t protocol_max;
    LeaseKeeper* leases;  // null: this replicator ships everything
  };
  // `checkpoints`: as loaded at the start.
  Flows(World world, const Addresses& peers,
        const std::vector<checkpoint::Checkpoint>& checkpoints);
  ~Flows();

  // Regions that are not known yet; a known one keeps the address that it has.
  void add_peers(const Addresses& peers);
  // The own node answers (again), as it said at the hello.
  void source_up(const rpc::HelloAnswer& own);
  // Starts and stops flows so that they are those of the list.
  void follow(const rpc::ReplicatedTables& tables);
  // Starts and stops flows as the leases say.
  void on_leases(const checkpoint::LeaseWorker::Outcome& outcome);
  void stop();

  // Flows whose own figures are stale, and what the node says of them, in the same order.
  [[nodiscard]] std::vector<rpc::BacklogQuery> stale() const;
  void on_backlogs(const std::vector<rpc::BacklogQuery>& queries,
                   const std::vector<rpc::BacklogAnswer>& answers);

  // What waits now, for its trend.
  void sample();
  // Over the last out.window_ms.
  void describe(ReplicatorStatus& out) const;

 private:
  using Key = std::tuple<TableId, RegionId, ShardId>;  // RegionId: the sink
  struct Sink {
    kj::Own<rpc::Dialer> dialer;
    kj::Own<rpc::Session> session;
    SinkLink link;
  };

  void dial_sink(const RegionId& region, const std::string& address);
  void start_flows();
  void start_flow(const Key& key, const std::string& table_name);
  // Ends a flow, which saves how far it got.
  void stop_flow(const Key& key);
  void forget_flow(const Key& key);
  // Barriers are carried by the worker that ships a table's first shard.
  void follow_barriers();
  [[nodiscard]] std::optional<std::uint64_t> token_of(const TableId& table, ShardId shard) const;
  // Stops all flows of a shard that is no longer held; answers how far they got.
  std::vector<checkpoint::Checkpoint> end_lease(const checkpoint::LeaseKey& lease);
  void acknowledged(const rpc::FlowId& flow, const RegionId& sink, LogPosition position);
  void sink_up(const RegionId& region);
  [[nodiscard]] std::optional<std::int64_t> offset_to(const Sink& sink) const;

  const World world_;
  Addresses peers_;
  rpc::ReplicatedTables tables_;  // as followed
  std::map<checkpoint::CheckpointKey, LogPosition> known_;  // newest checkpoint of each flow
  std::map<std::pair<TableId, RegionId>, std::shared_ptr<LinkLag>> lag_;
  std::map<std::pair<TableId, RegionId>, std::shared_ptr<LogReads>> reads_;
  std::map<Key, std::string> wanted_;                      // those of the list, with table names
  std::map<checkpoint::LeaseKey, std::uint64_t> tokens_;   // of the leases that are held
  std::set<RegionId> unknown_sinks_;  // complained about
  std::optional<NodeId> node_;
  std::map<RegionId, Sink> sinks_;
  kj::Own<Heartbeat> heartbeat_;
  std::map<Key, kj::Own<Flow>> flows_;  // last: they use the sinks
};

}  // namespace meridian::replicator
