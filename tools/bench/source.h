// Source: the region whose writes are replicated, hosted in this process so that it can be fed below
// HTTP: the product's store and peer server, as region-node composes them.
//
// Threads: main, but for the store, which is safe from any.
// Owns: the store and its writer thread, the peer server and its KJ thread.
// Errors: std::runtime_error.
#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "region-node/peer/peer.h"
#include "region-node/store/sqlite_store.h"
#include "tools/bench/daemons.h"
#include "tools/bench/options.h"

namespace meridian::bench {

class Source {
 public:
  Source(const Options& options, const WorkDir& dir, const RegionPorts& self,
         const std::vector<RegionPorts>& peers);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // A global table of rows (rows.h) with a stream of both images, here and in `regions`.
  store::TablePtr create_table(const std::string& name, const std::vector<std::string>& regions);

  store::Store& store() { return store_; }

 private:
  // Why it was refused; empty when it was not.
  std::string add_replica(const store::TablePtr& table, const std::string& region);

  SystemClock clock_;
  store::SqliteStore store_;
  peer::Peer peer_;
};

}  // namespace meridian::bench
