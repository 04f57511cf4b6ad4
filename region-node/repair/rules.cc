#include "region-node/repair/rules.h"

#include <algorithm>
#include <tuple>

#include "conflict/resolver.h"

namespace meridian::repair {

namespace {

enum class OneSided { leave, send, send_lost, drop };

// `row` of S, where T has neither row nor tombstone.
OneSided one_sided(const rpc::RowHead& row, const Facts& s, const Facts& t) {
  conflict::Hlc v = row.version.hlc;
  bool tombstone = row.image_hash == conflict::kTombstoneHash;
  if (tombstone && v <= std::max(s.collected, t.collected)) return OneSided::leave;
  if (v > t.collected) return OneSided::send;
  if (s.least >= t.collected || v > t.of(row.version.region)) return OneSided::send_lost;
  return OneSided::drop;
}

}  // namespace

Facts facts_of(const rpc::ReplicaFacts& known, const std::set<RegionId>& origins) {
  Facts out{known.watermarks, known.collected, {}, origins};
  bool first = true;
  for (const auto& origin : origins) {
    conflict::Hlc mark = out.of(origin);
    out.least = first ? mark : std::min(out.least, mark);
    first = false;
  }
  return out;
}

std::set<RegionId> open_origins(const rpc::ReplicaFacts& here, const rpc::ReplicaFacts& there,
                                const std::set<RegionId>& members) {
  std::set<RegionId> out = members;
  for (const auto* side : {&here, &there})
    out.insert(side->unsettled.begin(), side->unsettled.end());
  return out;
}

std::set<RegionId> origins_of(const rpc::ReplicaFacts& here, const rpc::ReplicaFacts& there,
                              const std::set<RegionId>& members) {
  std::set<RegionId> out = members;
  for (const auto* side : {&here, &there})
    for (const auto& [region, mark] : side->watermarks) out.insert(region);
  return out;
}

Fate fate_of(const std::optional<rpc::RowHead>& here, const Facts& facts_here,
             const std::optional<rpc::RowHead>& there, const Facts& facts_there) {
  if (here && there) {
    auto mine = std::tie(here->version, here->image_hash);
    auto theirs = std::tie(there->version, there->image_hash);
    if (mine == theirs) return Fate::same;
    return mine > theirs ? Fate::send : Fate::fetch;
  }
  if (here) {
    switch (one_sided(*here, facts_here, facts_there)) {
      case OneSided::leave: return Fate::same;
      case OneSided::send: return Fate::send;
      case OneSided::send_lost: return Fate::send_lost;
      case OneSided::drop: return Fate::drop_here;
    }
  }
  if (there) {
    switch (one_sided(*there, facts_there, facts_here)) {
      case OneSided::leave: return Fate::same;
      case OneSided::send: return Fate::fetch;
      case OneSided::send_lost: return Fate::fetch_lost;
      case OneSided::drop: return Fate::drop_there;
    }
  }
  return Fate::same;
}

bool in_flight(const rpc::RowHead& row, const Facts& taker) {
  return row.version.hlc > taker.of(row.version.region);
}

}  // namespace meridian::repair
