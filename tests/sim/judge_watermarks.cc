// The part of the Judge that compares watermarks with what is there.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/sim/judge.h"

namespace meridian::sim {

// Decided from what clients were told: of each origin, everything that it has acknowledged up to the
// watermark must be applied; what is parked is not, but what a parked record would replace anyway.
// What has been looked at once stays (nothing goes back, see check_read), and whatever is acknowledged later
// lies above (see check_barriers).  (A region that was restored says of itself what is no longer true until a
// peer tells it of that, and who takes its word for it is wrong with it: that is judged at rest.)
void Judge::watermarks(std::size_t region, Pasts pasts) {
  SimNode& node = *outside_.nodes[region];
  if (!node.up() || !node.store().catalog()->find(table_)) return;
  store::Reader& reader = node.reader();
  std::map<Bytes, conflict::Version> aside;
  for (const auto& each : parked(region)) {
    conflict::Version& newest = aside[each.record.key];
    newest = std::max(newest, each.record.version);
  }
  // Many writes are of few keys, and no row changes meanwhile.
  std::map<std::uint32_t, conflict::Version> rows;
  for (const auto& [origin, claimed] : reader.watermarks(table_)) {
    conflict::Hlc& looked_to = watermarks_[{region, origin}];
    for (const Write* write : history_.between(looked_to, claimed)) {
      if (write->version.region != origin || write->state != WriteState::acknowledged) continue;
      if (!owns(write->key_number) || (write->origin_forgot && pasts == Pasts::kept)) continue;
      auto [at, first] = rows.try_emplace(write->key_number);
      if (first) at->second = stands_at(region, write->key_number);
      if (at->second < write->version && aside[key_of(write->key_number)] <= write->version)
        add("P11", fmt::format("region {} claims to have all of region {} up to {:x}, without {}",
                               region, write->region, claimed.value, describe(*write)));
    }
    looked_to = std::max(looked_to, claimed);
  }
}

void Judge::all_watermarks() {
  watermarks_.clear();
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region)
    watermarks(region, Pasts::all);
}

}  // namespace meridian::sim
