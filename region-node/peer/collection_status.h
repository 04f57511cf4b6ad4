// CollectionStatus: what a node knows of the tombstones of one table, for metrics and for people.
// Threads: value type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/ids.h"
#include "common/metrics.h"

namespace meridian::peer {

struct CollectionStatus {
  std::string table;
  std::int64_t oldest_ms = 0;     // when the oldest tombstone that is kept was written
  std::int64_t horizon_ms = 0;    // no replica misses anything up to there; 0: unknown
  std::string why;                // what keeps the horizon from being later; empty: nothing does
  std::optional<RegionId> replica;  // whose doing that is; this region, or another
  bool stalled = false;           // for longer than is usual
};

void collect_collection(const CollectionStatus& status, MetricsPage& page);

}  // namespace meridian::peer
