// What /metrics says of repair and scrub.
// Pure.  Threads: any.
#pragma once

#include "common/metrics.h"
#include "region-node/peer/repair_status.h"

namespace meridian::peer {

void collect_repair(const RepairStatus& status, MetricsPage& page);

}  // namespace meridian::peer
