// P5: the part of the Judge that looks whether tombstones went too early.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "tests/sim/judge.h"

namespace meridian::sim {

// A tombstone at or below G may be gone because nothing at or below G can be missing anywhere: whatever
// a client was told of has been applied by every region that holds the table, and holds all of it.
void Judge::collections(std::size_t region) {
  SimNode& node = *outside_.nodes[region];
  if (!node.up() || !node.store().catalog()->find(table_)) return;
  conflict::Hlc collected = node.reader().collected(table_);
  conflict::Hlc& looked_to = collections_[region];
  // Many writes are of few keys, and no row changes meanwhile.
  std::map<std::pair<std::size_t, std::uint32_t>, conflict::Version> rows;
  for (const Write* each : history_.between(looked_to, collected)) {
    const Write& write = *each;
    if (!owns(write.key_number) || write.origin_forgot) continue;
    for (std::size_t other = 0; other < outside_.nodes.size(); ++other) {
      SimNode& holder = *outside_.nodes[other];
      // (Who has lost what it had is repaired, or filled again.)
      if (!holder.up() || outside_.forgot(other)) continue;
      auto table = holder.store().catalog()->find(table_);
      if (!table || !table->is_whole(holder.region())) continue;
      auto [at, first] = rows.try_emplace({other, write.key_number});
      if (first) at->second = stands_at(other, write.key_number);
      // (A replica that was filled may have something newer in quarantine, in place of it.)
      if (at->second < write.version && arrived(other)[key_of(write.key_number)] < write.version)
        add("P5", fmt::format("region {} has collected up to {:x}, and region {} lacks {}", region,
                              collected.value, other, describe(write)));
    }
  }
  looked_to = std::max(looked_to, collected);
}

// A key without a row counts as a tombstone of the horizon's version.  So does one whose tombstone lies at
// or below the horizon: it may go with the next look, and nobody is told of it before.  (Its own version may
// say less: what a repair leaves where another region had collected a delete is of the region that was
// repaired, whose name may sort before that of the delete.  Should a put have been lost with it, P1 to P4
// tell at rest.)
conflict::Version Judge::stands_at(std::size_t region, std::uint32_t key_number) const {
  auto row = outside_.nodes[region]->reader().get_row(table_, key_of(key_number));
  auto gone = horizon(region);
  return row && (row->image || row->version > gone) ? row->version : gone;
}

// What an absent key counts as in a region.
conflict::Version Judge::horizon(std::size_t region) const {
  conflict::Hlc collected = outside_.nodes[region]->reader().collected(table_);
  if (collected == conflict::Hlc{}) return {};
  return {collected, RegionId::of("zzzzzzzzzzzzzzzzzzzzzz")};
}

// Rows that all regions must have: no tombstones that one of them may have collected.
std::vector<store::Row> Judge::lasting_rows(std::size_t region) const {
  conflict::Version furthest;
  for (std::size_t other = 0; other < outside_.nodes.size(); ++other)
    furthest = std::max(furthest, horizon(other));
  auto out = rows(region);
  std::erase_if(out, [&](const auto& row) { return !row.image && row.version <= furthest; });
  return out;
}

}  // namespace meridian::sim
