// Leases: which worker of a region ships which shard of which table, and the rules by which workers share
// them; the rules are pure.
//
// Workers meet only in one small table.  A worker counts its leases' counters up each round.  Whoever
// sees a counter stand still for `lease_ms` of its own monotonic time takes the lease, with a new fencing
// token; no clock is compared with another's.  A worker that has less than its share asks one that has
// more, which stops shipping before it lets go.  So a lease moves without a gap in what is shipped and,
// unless its holder was silent for so long, without two who ship.  A holder that was thought dead and was
// not is harmless: the sink's position is the authority on what is applied, and its checkpoints are
// refused by the token.
//
// Threads: LeaseBook is confined to one.  Pure: rows, shards and time are arguments.
// Invariants: (1) at most one holder per row; (2) tokens of the whole table only grow.
// Source: the Kinesis Client Library's lease taker and renewer; ADR 0017.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/rng.h"

namespace meridian::checkpoint {

struct LeaseKey {
  TableId table;
  ShardId shard;
  auto operator<=>(const LeaseKey&) const = default;
};

// A row of the table.
struct Lease {
  LeaseKey key;
  std::string owner;          // "name/run" of a worker; empty: nobody's
  std::uint64_t token = 0;    // of the present holding; 0 before the first
  std::uint64_t counter = 0;  // grows with each sign of life
  std::string wanted;         // the worker that asks for it; empty: none
  bool operator==(const Lease&) const = default;
};

struct LeaseTiming {
  std::int64_t round_ms = 1000;
  std::int64_t lease_ms = 3500;  // several rounds, so that one that is late costs nothing
};

// Who a worker is: its name, which it keeps over restarts, and a word that it does not.
struct WorkerId {
  std::string name;
  std::string run;
  [[nodiscard]] std::string text() const { return name + "/" + run; }
};

// What a worker does next, each with the row as it was read.
struct LeasePlan {
  std::vector<Lease> renew;
  std::vector<Lease> refuse;     // to hand over: renewed, and the wish is taken out
  std::vector<Lease> take;
  std::vector<Lease> want;       // ask their owners
  std::vector<Lease> hand_over;  // stop shipping, then let go
  std::vector<LeaseKey> lost;    // somebody else has them: stop shipping
};

class LeaseBook {
 public:
  LeaseBook(WorkerId worker, LeaseTiming timing, Rng rng)
      : worker_(std::move(worker)), me_(worker_.text()), timing_(timing), rng_(rng) {}

  // `rows`: the whole table; `shards`: those that there are to ship.
  LeasePlan plan(const std::vector<Lease>& rows, const std::set<LeaseKey>& shards,
                 std::int64_t now_ms);
  // The store has given it to this worker, with that token.
  void took(const LeaseKey& key, std::uint64_t token) { held_[key] = token; }
  void let_go(const LeaseKey& key) { held_.erase(key); }

  [[nodiscard]] const std::string& me() const { return me_; }
  [[nodiscard]] const std::map<LeaseKey, std::uint64_t>& held() const { return held_; }

 private:
  struct Seen {
    Lease row;
    std::int64_t since_ms;
  };
  struct Shares {
    std::map<std::string, std::size_t> holdings;  // of the living, this worker included
    std::size_t most = 0;                         // that one should have
    std::size_t least = 0;
  };
  void observe(const std::vector<Lease>& rows, const std::set<LeaseKey>& shards,
               std::int64_t now_ms);
  void keep(LeasePlan& plan, const Shares& shares);
  void take(LeasePlan& plan, const Shares& shares, std::int64_t now_ms);
  void want(LeasePlan& plan, const Shares& shares, std::size_t needed, std::int64_t now_ms);
  [[nodiscard]] bool holds(const Lease& row) const;
  [[nodiscard]] bool silent(const Seen& seen, std::int64_t now_ms) const;
  [[nodiscard]] bool free(const Seen& seen, std::int64_t now_ms) const;
  [[nodiscard]] Shares share_out(std::int64_t now_ms) const;
  template <typename T>
  void shuffle(std::vector<T>& list);

  const WorkerId worker_;
  const std::string me_;
  const LeaseTiming timing_;
  Rng rng_;
  std::map<LeaseKey, std::uint64_t> held_;
  std::map<LeaseKey, Seen> seen_;
  bool first_ = true;
};

}  // namespace meridian::checkpoint
