// Workload: clients in every region that put, insert, append, remove and repeat values on a few
// shared keys, and check at once what they may rely on in their own region.
//
// A client knows only what it was told.  Checked on every answer: the version is this region's, above
// every earlier one and above everything read here before (P6); the write is there to be read, unless
// a later one is (read); a row never goes back to an older version (read).
// Threads: one.  Borrows: everything it is made with.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "common/rng.h"
#include "tests/sim/history.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class Workload {
 public:
  Workload(Outside& outside, History& history, std::vector<std::unique_ptr<SimClock>>& clocks,
           Rng rng);

  // Clients write until `until_us`; bursts are spread over that time.
  void start(std::int64_t until_us);
  // One write, now; nothing if the node is down.  Null if so.
  const Write* write(std::size_t region, std::uint32_t key_number, WriteKind kind);

  // Writes that were never answered will not be: their nodes have crashed since.
  void give_up_waiting();

 private:
  void next(std::size_t region);
  void burst();
  void answered(WriteId id, const store::WriteResult& result);
  void check_version(const Write& write);
  void check_read(std::size_t region, std::uint32_t key_number, const conflict::Version& least);
  std::uint32_t pick_key();
  WriteKind pick_kind();

  Outside& outside_;
  History& history_;
  std::vector<std::unique_ptr<SimClock>>& clocks_;
  Rng rng_;
  std::int64_t until_us_ = 0;
  std::vector<Bytes> keys_;
  std::vector<conflict::Version> minted_;             // newest, per region
  std::vector<std::vector<conflict::Version>> seen_;  // newest row read, per region and key
  std::vector<conflict::Version> seen_newest_;        // of all of them, per region
};

}  // namespace meridian::sim
