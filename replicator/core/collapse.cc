#include "replicator/core/collapse.h"

#include <set>
#include <unordered_map>
#include <utility>

namespace meridian::replicator {

std::size_t collapse(std::vector<rpc::ChangeRecord>& records, const RegionId& sink) {
  std::vector<bool> stays(records.size());
  std::unordered_map<BytesView, std::set<conflict::Hlc>> seen;
  for (std::size_t i = records.size(); i-- > 0;) {
    auto [at, newest] = seen.try_emplace(records[i].key);
    auto named = records[i].context.of(sink);
    bool names_another = named && at->second.insert(*named).second;
    stays[i] = newest || names_another;
  }
  std::size_t kept = 0;
  seen.clear();  // its keys are views of what is moved now
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!stays[i]) continue;
    if (kept != i) records[kept] = std::move(records[i]);
    ++kept;
  }
  std::size_t left_out = records.size() - kept;
  records.resize(kept);
  return left_out;
}

}  // namespace meridian::replicator
