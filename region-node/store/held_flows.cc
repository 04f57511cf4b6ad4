#include "region-node/store/held_flows.h"

#include <algorithm>

namespace meridian::store {

void HeldFlows::held(const rpc::FlowId& flow, conflict::Hlc furthest, std::int64_t monotonic_ms) {
  Held& entry = flows_.try_emplace(flow, Held{furthest, monotonic_ms, monotonic_ms}).first->second;
  entry.furthest = std::max(entry.furthest, furthest);
  entry.heard_ms = monotonic_ms;
}

void HeldFlows::forget_silent(std::int64_t monotonic_ms) {
  std::erase_if(flows_, [monotonic_ms](const auto& each) {
    return monotonic_ms - each.second.heard_ms > kForgetMs;
  });
}

std::vector<HeldSource> HeldFlows::by_source(std::int64_t believed_ms,
                                             std::int64_t monotonic_ms) const {
  std::map<RegionId, HeldSource> sources;
  for (const auto& [flow, held] : flows_) {
    HeldSource& source = sources[flow.source];
    source.source = flow.source;
    ++source.flows;
    source.furthest = std::max(source.furthest, held.furthest);
    source.ahead_ms = source.furthest.physical_ms() - believed_ms;
    source.for_ms = std::max(source.for_ms, monotonic_ms - held.since_ms);
  }
  std::vector<HeldSource> out;
  for (const auto& [region, source] : sources) out.push_back(source);
  return out;
}

}  // namespace meridian::store
