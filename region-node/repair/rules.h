// What becomes of a row that two regions do not hold alike: the rule that decides, row by row.
//
// Where both have the key, the newer version stands (of a forked version, the larger image hash), as
// everywhere.  Where one has nothing, absence must be read: with G, the highest version of a tombstone
// that was collected there, and V, per origin the version up to which everything was applied there,
//
//     a row (version v, origin X) of S that T does not have
//       v > G of T            T never knew of it, or it would still have something: send it
//       least V of S >= G of T  S has seen every delete that T collected, and still has the row: T lost it
//       v > V of T for X      T has not been promised it yet: send it
//       otherwise             T had it and has collected its tombstone: S drops it
//
// A tombstone at or below either side's G is as good as gone for both and is left alone.
// Pure.  Threads: any.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "rpc/repair.h"

namespace meridian::repair {

// A side's knowledge, read before its rows are.
struct Facts {
  std::map<RegionId, conflict::Hlc> watermarks;
  conflict::Hlc collected;
  conflict::Hlc least;  // smallest watermark over the origins
  std::set<RegionId> origins;  // that may still have something to say

  // Of one that has not, everything is here that will ever be, so it had seen what it has collected.
  [[nodiscard]] conflict::Hlc of(const RegionId& origin) const {
    auto at = watermarks.find(origin);
    conflict::Hlc mark = at == watermarks.end() ? conflict::Hlc{} : at->second;
    return origins.contains(origin) ? mark : std::max(mark, collected);
  }
};

// `origins`: every region that may still have something to say.
Facts facts_of(const rpc::ReplicaFacts& known, const std::set<RegionId>& origins);
// `members`, and those that are gone and of whom one of the sides may not have everything yet.
std::set<RegionId> open_origins(const rpc::ReplicaFacts& here, const rpc::ReplicaFacts& there,
                                const std::set<RegionId>& members);
// All origins that either side has heard of, and `members`.
std::set<RegionId> origins_of(const rpc::ReplicaFacts& here, const rpc::ReplicaFacts& there,
                              const std::set<RegionId>& members);

enum class Fate {
  same,
  send,         // here's row goes there
  send_lost,    // the same, although it lies at or below there's horizon
  fetch,        // there's row comes here
  fetch_lost,   // the same
  drop_here,
  drop_there,
};

Fate fate_of(const std::optional<rpc::RowHead>& here, const Facts& facts_here,
             const std::optional<rpc::RowHead>& there, const Facts& facts_there);

// Whether the side that would take the row may simply not have got it yet: it claims nothing of the
// row's origin that would cover it.
bool in_flight(const rpc::RowHead& row, const Facts& taker);

}  // namespace meridian::repair
