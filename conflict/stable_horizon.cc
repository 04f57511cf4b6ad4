#include "conflict/stable_horizon.h"

namespace meridian::conflict {
namespace {

using Limit = StableHorizon::Limit;

// Lowers `found` to what this replica has of the origin.
void lower(StableHorizon& found, const RegionId& replica, const ReplicaState& state,
           const RegionId& origin) {
  auto at = state.applied.find(origin);
  Hlc applied = at == state.applied.end() ? Hlc{} : at->second;
  if (found.limit == Limit::applied && applied >= found.horizon) return;
  found = {applied, Limit::applied, replica, origin};
}

}  // namespace

StableHorizon stable_horizon(const std::set<RegionId>& members, std::uint64_t membership,
                             const std::map<RegionId, ReplicaState>& told) {
  StableHorizon found{kNoHorizonMax, Limit::none, {}, {}};
  for (const auto& replica : members) {
    auto at = told.find(replica);
    if (at == told.end()) return {{}, Limit::unknown, replica, {}};
    const ReplicaState& state = at->second;
    if (state.membership != membership) return {{}, Limit::members, replica, {}};
    for (const auto& origin : members) lower(found, replica, state, origin);
    for (const auto& origin : state.unsettled) lower(found, replica, state, origin);
  }
  return found;
}

}  // namespace meridian::conflict
