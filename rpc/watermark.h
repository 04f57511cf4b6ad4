// Barriers and watermarks: how a region knows, and can prove, what it has of another one.
//
// A barrier is a moment of a region, made by its writer between two commits: every version that the
// region ever mints at or below `time` is in its logs at or before `ends`, over restarts too.  A sink
// whose flows have reached all ends of a table therefore has everything of that region up to `time`;
// it keeps the largest such time as its watermark of the table and the origin.
//
// Threads: value types.
// Limits: kBarrierTablesMax tables in a barrier or a question.
// Source: ADR 0022.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "common/ids.h"
#include "conflict/version.h"

namespace meridian::rpc {

inline constexpr std::size_t kBarrierTablesMax = 256;
inline constexpr std::size_t kBarrierShardsMax = 64;
inline constexpr std::size_t kBarriersMax = 64;  // in one call of advance

// By origin, the version up to which everything from there is applied.  An origin that is missing
// stands at zero.
using Watermarks = std::map<RegionId, conflict::Hlc>;

// Where the logs of a table end, by shard.
struct TableEnds {
  TableId table;
  std::vector<LogPosition> ends;
  bool operator==(const TableEnds&) const = default;
};

struct Barrier {
  StartId start;  // of the region's run that made it
  conflict::Hlc time;
  std::vector<TableEnds> tables;
  bool operator==(const Barrier&) const = default;
};

// What a region says of a table: what it has, the highest version of a tombstone that it has
// collected, and by which membership it goes (0: it does not say).
struct TableWatermarks {
  TableId table;
  Watermarks applied;
  conflict::Hlc collected;
  std::uint64_t membership = 0;
  std::set<RegionId> unsettled = {};  // origins whose lives have ended, and of which others may hold more
  bool operator==(const TableWatermarks&) const = default;
};

// Whether a flow that stands at `position` has everything up to `end`, where the run `start` of the
// source says that its log ended.  Every sequence has one position, so an equal position is the same
// record.  A later one belongs to the same log only if that very run wrote it: one of another run may
// come from a life of the log that `end` knows nothing of.
inline bool reaches(const LogPosition& position, const LogPosition& end, StartId start) {
  return position == end || (position.start == start && position.sequence > end.sequence);
}

}  // namespace meridian::rpc
