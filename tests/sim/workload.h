// Workload: clients in every region that put, insert, append, remove and repeat values on a few
// shared keys, as the events of a run say, and check at once what they may rely on in their own region.
//
// A client knows only what it was told.  Checked on every answer: the version is this region's, above
// every earlier one and above everything read here before (P6); the write is there to be read, unless
// a later one is (read); a row never goes back to an older version (read); a node whose disk has failed
// to sync acknowledges nothing any more (disk).
// Threads: one.  Borrows: everything it is made with.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tests/sim/history.h"
#include "tests/sim/script.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class Workload {
 public:
  Workload(Outside& outside, History& history, std::vector<std::unique_ptr<SimClock>>& clocks);

  // A write, and a look at another key.
  void run(const Event& event);
  // One write, now; nothing if the node is down.  Null if so.
  const Write* write(std::size_t region, std::uint32_t key_number, WriteKind kind,
                     std::size_t bytes = 0);

  // A region is as it was a while ago, or empty: writes that it alone had are forfeit, and what its
  // clients have seen does not bind it.  REQUIRES: it is up again.
  void region_forgot(std::size_t region);
  // Writes that were never answered will not be: their nodes have crashed since.
  void give_up_waiting();

 private:
  void answered(WriteId id, const store::WriteResult& result);
  [[nodiscard]] bool held_somewhere(const Write& write) const;
  void check_version(const Write& write);
  void check_barriers(const Write& write);
  void check_read(std::size_t region, std::uint32_t key_number, const conflict::Version& least);

  Outside& outside_;
  History& history_;
  std::vector<std::unique_ptr<SimClock>>& clocks_;
  std::vector<Bytes> keys_;
  std::vector<conflict::Version> minted_;             // newest, per region
  std::vector<std::vector<conflict::Version>> seen_;  // newest row read, per region and key
  std::vector<conflict::Version> seen_newest_;        // of all of them, per region
};

}  // namespace meridian::sim
