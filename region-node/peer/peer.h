// Peer: a region node's face towards the other regions and its own replicators: the Cap'n Proto
// server, and the control plane by which the nodes agree on who holds which table.
//
// Threads: start() and stop() from one thread; control() may be used from any, between the two.
// Owns: a KJ thread and everything on it.  Borrows: store and clock, which must outlive it.  It takes
// the store's on_commit listener.
// Errors: start() throws std::runtime_error naming an address that cannot be bound, or a file of TLS
// that cannot be used.
// Limits: server.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/ids.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "common/settings.h"
#include "region-node/api/replica_control.h"
#include "region-node/copy/table_copy.h"
#include "region-node/peer/collection_status.h"
#include "region-node/peer/repair_status.h"
#include "region-node/store/store.h"
#include "rpc/messages.h"

namespace meridian::rpc {
class LinkFaults;
}

namespace meridian::peer {

struct PeerOptions {
  std::string address;  // host:port to listen on; port 0 lets the system choose
  std::vector<std::pair<RegionId, std::string>> peers;  // other regions' peer addresses
  TlsSettings tls = {};
  std::uint32_t protocol_max = rpc::kProtocolVersion;
  copy::CopyLimits copy = {};
  std::int64_t tombstone_retention_ms = 10LL * 60 * 1000;  // as the store's
};

class Peer {
 public:
  Peer(store::Store& store, const Clock& clock, Rng rng, Logger log, PeerOptions options);
  ~Peer();

  // Control answers "unavailable" until start() and after stop().
  void start();
  // Takes no more calls, lets go of those under way, joins.  Stop the store after it.  Idempotent.
  void stop();

  // REQUIRES: start() has returned.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] api::ReplicaControl& control();
  // Regions that are not known yet are; a known one keeps the address that it has.  Any thread.
  void add_peers(std::vector<std::pair<RegionId, std::string>> peers);
  // Counters of the server and the links, for /metrics.  Any thread.
  void collect(MetricsPage& page) const;
  // What is known of the tables' sameness at the peers; empty when it is not answered in time.  Any
  // thread but the KJ thread.
  [[nodiscard]] std::optional<std::vector<RepairStatus>> repairs() const;
  // The same of tombstones that are old enough to be collected.
  [[nodiscard]] std::optional<std::vector<CollectionStatus>> collections() const;
  // Asks for a repair of the table with a peer; answers whether it was heard.  Any thread.
  bool ask_repair(TableId table, RegionId peer);
  // Runs `task` on the faults of this node's own links and waits for it; false when it may not have
  // run (yet), so it must not refer to the caller's stack.  Any thread but the KJ thread.
  bool on_faults(std::function<void(rpc::LinkFaults&)> task);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meridian::peer
