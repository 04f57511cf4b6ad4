#include "conflict/resolver.h"

namespace meridian::conflict {

Decision decide(const std::optional<Candidate>& stored, const Candidate& incoming, Hlc horizon) {
  if (!stored) return incoming.version.hlc > horizon ? Decision::apply : Decision::stale;
  if (incoming.version > stored->version) return Decision::apply;
  if (incoming.version < stored->version) return Decision::stale;
  if (incoming.image_hash == stored->image_hash) return Decision::duplicate;
  return incoming.image_hash > stored->image_hash ? Decision::fork_apply : Decision::fork_keep;
}

}  // namespace meridian::conflict
