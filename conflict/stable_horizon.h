// The stable horizon of a table: up to which version no replica can still miss anything, so that a
// tombstone at or below it has nothing left to beat and may be collected.
//
// It is the smallest watermark (V, ADR 0022) over all replicas of the table and all origins, as the
// replicas have told it.  A watermark counts only if its teller goes by the same membership: a region
// that joins writes above the watermarks of those who know of it, and of nobody else's.  Whoever has told
// nothing holds everything back; so does one that cannot be reached, at what it told last.
//
// Pure.  Threads: any.
// Source: ADR 0023.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "common/ids.h"
#include "conflict/version.h"

namespace meridian::conflict {

// What a replica has told of a table, this region's own included.
struct ReplicaState {
  std::uint64_t membership = 0;  // which one it goes by; 0: it did not say
  std::map<RegionId, Hlc> applied;  // V; an origin that is missing stands at zero
  // Origins whose lives have ended and of whose writes other replicas may hold more.
  std::set<RegionId> unsettled;
  bool operator==(const ReplicaState&) const = default;
};

struct StableHorizon {
  enum class Limit {
    none,     // there are no other replicas
    unknown,  // `replica` has told nothing
    members,  // `replica` goes by another membership
    applied,  // `replica` has writes of `origin` up to the horizon only
  };
  Hlc horizon;  // zero: nothing may be collected
  Limit limit = Limit::none;
  RegionId replica;
  RegionId origin;
  bool operator==(const StableHorizon&) const = default;
};

inline constexpr Hlc kNoHorizonMax{std::numeric_limits<std::int64_t>::max()};

// `members`: the regions that hold the table, this one included; empty for a table of this region alone.
// `membership`: as this region knows it.
StableHorizon stable_horizon(const std::set<RegionId>& members, std::uint64_t membership,
                             const std::map<RegionId, ReplicaState>& told);

}  // namespace meridian::conflict
