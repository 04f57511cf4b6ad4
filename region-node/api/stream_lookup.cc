#include "region-node/api/stream_lookup.h"

#include <algorithm>

#include "region-node/api/arn.h"
#include "region-node/api/stream_ids.h"

namespace meridian::api {

Result<FoundStream, ApiError> find_stream(const Services& services, std::string_view arn) {
  auto ref = parse_arn(arn);
  if (!ref || ref->label.empty())
    return Err(ApiError::validation("Invalid StreamArn: " + std::string(arn)));
  auto table = services.store.catalog()->find(ref->table);
  if (table && ref->region == services.store.region().name()) {
    for (const auto& stream : table->streams)
      if (stream.label == ref->label) return FoundStream{table, &stream};
  }
  return Err(ApiError::resource_not_found(
      "Requested resource not found: Stream: " + std::string(arn) + " not found"));
}

std::vector<NamedShard> named_shards(const store::StreamInfo& stream) {
  std::vector<NamedShard> out;
  for (const auto& shard : stream.shards) {
    NamedShard named{shard_id(shard), {}, &shard};
    for (const auto& other : stream.shards)
      if (other.shard == shard.shard && other.generation + 1 == shard.generation)
        named.parent_id = shard_id(other);
    out.push_back(std::move(named));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

}  // namespace meridian::api
