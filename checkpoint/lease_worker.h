// LeaseWorker: one worker's part in the sharing of leases: looks at the table once a round, does what its
// LeaseBook says, and tells what has changed for its flows.
//
// Threads: one at a time.  Borrows: the store.
// Errors: round() and let_go() throw what the store throws.  What is held is held on: a table that cannot
// be reached cannot be taken over by anybody either.  What a round that throws has taken or found lost,
// the next one that does not throw tells.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "checkpoint/lease_store.h"

namespace meridian::checkpoint {

class LeaseWorker {
 public:
  LeaseWorker(LeaseStore& store, WorkerId worker, LeaseTiming timing, Rng rng)
      : store_(store), book_(std::move(worker), timing, rng) {}

  struct Gained {
    LeaseKey key;
    std::uint64_t token;
    std::vector<Checkpoint> checkpoints;  // of its flows, as the holder before saved them
  };
  struct Outcome {
    std::vector<Gained> gained;
    // Stop their flows: somebody else has them.  One that is gained as well was lost before that.
    std::vector<LeaseKey> lost;
    std::vector<LeaseKey> hand_over;  // stop their flows, then let_go()
  };
  Outcome round(const std::set<LeaseKey>& shards, std::int64_t now_ms);
  // Saves how far the flows have got, fenced, and lets go.
  // Nothing happens when it is no longer held with that token.
  void let_go(const LeaseKey& key, std::uint64_t token, const std::vector<Checkpoint>& checkpoints);

  [[nodiscard]] const LeaseBook& book() const { return book_; }
  // As they were at the last round, with what has come of it.
  [[nodiscard]] const std::vector<Lease>& rows() const { return rows_; }

 private:
  LeaseStore& store_;
  LeaseBook book_;
  std::set<LeaseKey> lost_;                   // and not yet told
  std::map<LeaseKey, std::uint64_t> gained_;  // held, with these tokens, and not yet told
  std::vector<Lease> rows_;
};

}  // namespace meridian::checkpoint
