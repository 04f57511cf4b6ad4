// Replicator: the worker of one region, composed: a session to its own region node and one to every
// peer, a Flow per (table, shard, sink), acknowledgements, checkpoints, figures.
//
// Which flows run follows the region node's list of replicated tables.  The sinks are dialled once the
// own node has said its node id, because a peer pins the region's name to it.
//
// Threads: start(), stop() from one; status() and on_faults() from any.  Inside: one KJ thread runs
// everything, one thread saves checkpoints, one renews leases.
// Owns: its threads, all connections.  Borrows: the stores of checkpoints and leases, the clock.
// Errors: start() throws what loading the checkpoints or the files of TLS throws; afterwards nothing
// escapes: an unreachable node or peer is a state, not an error.
// Limits: PumpLimits per flow, SinkLink::kBytesMax per peer.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/lease_store.h"
#include "checkpoint/store.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/rng.h"
#include "common/settings.h"
#include "replicator/core/pump.h"
#include "replicator/status.h"
#include "rpc/messages.h"

namespace meridian::rpc {
class LinkFaults;
}

namespace meridian::replicator {

struct ReplicatorOptions {
  RegionId region;
  std::string node_address;                             // peer RPC of the own region node
  std::vector<std::pair<RegionId, std::string>> peers;  // peer RPC of the other regions' nodes
  PumpLimits limits;
  TlsSettings tls = {};
  std::uint32_t protocol_max = rpc::kProtocolVersion;
  std::set<std::string> collapse_tables;  // names of tables whose backlog may be collapsed
  // How the workers of the region share its shards; without a store this one ships everything.
  checkpoint::LeaseStore* leases = nullptr;  // borrowed
  std::string worker = "worker-1";
  checkpoint::LeaseTiming lease_timing;
};

class Replicator {
 public:
  Replicator(ReplicatorOptions options, checkpoint::CheckpointStore& checkpoints,
             const Clock& clock, Rng rng, Logger log);
  ~Replicator();

  void start();
  // Stops all flows, tells the own node and the checkpoint store what is acknowledged, joins.
  // Idempotent.
  void stop();

  // Regions that are not known yet are; a known one keeps the address that it has.  Any thread.
  void add_peers(std::vector<std::pair<RegionId, std::string>> peers);

  // Waits for the KJ thread, at most kStatusMsMax; a thread that does not answer is "not ready".
  static constexpr std::int64_t kStatusMsMax = 2000;
  // With the lag of the last `window_ms`.
  [[nodiscard]] ReplicatorStatus status(std::int64_t window_ms = LagWindow::kDefaultMs) const;
  // Runs `task` on the faults of this replicator's links and waits for it as long; false when it may
  // not have run (yet), so it must not refer to the caller's stack.
  bool on_faults(std::function<void(rpc::LinkFaults&)> task);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meridian::replicator
