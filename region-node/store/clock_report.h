// What a region knows of clocks that disagree: its own, and those whose versions it holds back.
//
// Threads: value types.  Units: in the names.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "common/ids.h"
#include "conflict/version.h"

namespace meridian::store {

// Flows of one region that the clock guard holds: their newest versions lie beyond the bound.
struct HeldSource {
  RegionId source;
  std::uint64_t flows = 0;
  conflict::Hlc furthest;     // the furthest version that was seen in them
  std::int64_t ahead_ms = 0;  // of the clock here
  std::int64_t for_ms = 0;    // since the first of them is held
};

struct ClockReport {
  bool stepped = false;  // the own wall clock is not believed
  std::int64_t step_ms = 0;
  std::int64_t bound_ms = 0;
  std::int64_t minted_ahead_ms = 0;  // newest own version beyond the clock; above the bound, writes wait
  std::vector<HeldSource> held = {};                // ascending source
  std::map<RegionId, conflict::Hlc> released = {};  // taken on an operator's word, up to there
};

}  // namespace meridian::store
