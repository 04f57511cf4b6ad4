// Drain: does another region have everything that this one had acknowledged, by a barrier taken here?
//
// The source asks with a DrainQuestion, made after its barrier; the sink answers from what it has
// committed.  Yes means, for every table: the flows from the source have reached the barrier, the sink
// is as far as the source with every other origin (a third region may have reached the source only),
// its own log is the one that the source has read (it was not restored from a copy since), nothing is
// parked, and where either knows that the life of a replica has ended, the two have been compared since.
// A table that the barrier leaves out (it has lost some of its past, or is gone) is asked
// about without ends, and nobody says yes to that.
//
// Threads: whoever owns the Reader.  Errors: sqlite::SqliteError from the Reader.
// Source: ADR 0022.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "region-node/store/store.h"
#include "region-node/store/unsettled.h"

namespace meridian::store {

using FlowPositions = std::map<std::pair<RegionId, ShardId>, LogPosition>;

struct DrainQuestion {
  struct Table {
    TableId id;
    std::vector<LogPosition> ends;  // of the source's own log; none if no barrier is over it
    FlowPositions flows;            // how far the source is with the others
    rpc::Watermarks watermarks;     // of the source
    // Rows have come to the source outside of any flow, from a copy or a repair: it may have more of any
    // origin than its flows and watermarks say.
    bool mended = false;
    // Whose lives as replicas have ended, and who may hold more of them than the source, by what the
    // source knows (TableInfo::unsettled).  The sink may not have heard of the end yet; the flows and
    // watermarks above say nothing of what the source had of that life.
    Unsettled unsettled = {};
    [[nodiscard]] bool left_out() const { return ends.empty(); }
  };
  RegionId source;
  StartId start;
  conflict::Hlc time;
  // Origins of which the source may have versions above `time`: an operator let them in from beyond the
  // clock bound.
  std::set<RegionId> released;
  std::vector<Table> tables;
};

struct DrainAnswer {
  struct Table {
    TableId id;
    bool member = false;   // both regions are replicas here; else the rest says nothing
    bool whole = true;     // the sink's replica is not being filled
    bool reached = false;  // the source's own writes are here
    std::uint64_t parked = 0;
    std::vector<RegionId> behind;  // origins of which the source may have more
    [[nodiscard]] bool drained() const {
      return member && whole && reached && parked == 0 && behind.empty();
    }
  };
  std::vector<Table> tables;
};

// About all of `tables`, over which the barrier was asked for.  REQUIRES: it has been answered.
DrainQuestion drain_question(const RegionId& source, const std::vector<TableId>& tables,
                             const rpc::Barrier& barrier, std::set<RegionId> released,
                             Reader& reader);
DrainAnswer drain_answer(const DrainQuestion& question, const RegionId& sink,
                         const Catalog& catalog, Reader& reader);

}  // namespace meridian::store
