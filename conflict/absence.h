// What a write on an absent key knows: everything up to G, the newest tombstone that was collected.
//
// All replicas had applied everything up to there when it was collected, so whatever was written up to
// there was seen, and nothing of it is left that could be named.  A region that still stores it must not
// take the new write for one that had not seen it.
//
// In the context it is the entry of a region called `0`, which no region may be: the format has room for
// it, and whoever carries contexts need not know.
// Pure.  Threads: any.
#pragma once

#include "conflict/context.h"

namespace meridian::conflict {

// Stands for every region in a context.
inline const RegionId& everywhere() {
  static const RegionId kEverywhere = RegionId::of("0");
  return kEverywhere;
}

// The context of a write on an absent key; empty while nothing was collected.
Context context_of_absence(Hlc collected);

}  // namespace meridian::conflict
