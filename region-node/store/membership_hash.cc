#include "region-node/store/membership_hash.h"

#include "common/bytes.h"

namespace meridian::store {

// An entry has a new version whenever anything of it changes, so versions say it all.
std::uint64_t membership_hash(const std::map<RegionId, ReplicaEntry>& replicas) {
  Bytes all;
  for (const auto& [region, entry] : replicas) {
    for (auto name : {region.name(), entry.changed.region.name()}) {
      put_varint(all, name.size());
      all.append(name);
    }
    put_u64(all, entry.changed.hlc.value);
  }
  std::uint64_t hash = hash64(all);
  return hash == 0 ? 1 : hash;
}

}  // namespace meridian::store
