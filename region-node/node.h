// Node: one region, composed: store, API, peer RPC, admin.  The only place where they meet.
//
// Threads: start() and stop() from main; everything else runs on the parts' own threads.
// Owns: all of them, made in start() in the order of their dependencies, stopped in the reverse.
// Errors: start() throws std::runtime_error when a port is taken, or the data directory is locked,
// damaged or of a newer format; nothing is left running then.
#pragma once

#include <memory>
#include <string>

#include "common/clock.h"
#include "common/log.h"
#include "common/rng.h"
#include "common/shifted_clock.h"
#include "region-node/config.h"

namespace meridian::node {

class Node {
 public:
  // Borrows the clock for its lifetime.
  Node(NodeConfig config, Clock& clock, Rng rng, Logger log, std::string version);
  ~Node();

  void start();
  // Takes over the regions that `now` has under peers and that were not there before, and another
  // admin token; whatever else has changed waits for the next start.  REQUIRES: start() has returned.
  void reload(const NodeConfig& now);
  // Stops taking requests, answers those under way, closes the store.  Idempotent.
  void stop();

 private:
  class Parts;
  const NodeConfig config_;
  ShiftedClock clock_;
  Rng rng_;
  const Logger log_;
  const std::string version_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace meridian::node
