// Finding a stream by its ARN, and its shards in the order in which AWS lists them.
// Threads: any.
// Errors: ValidationException for what is not an ARN, ResourceNotFoundException for an unknown one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "region-node/api/call.h"
#include "region-node/store/table_info.h"

namespace meridian::api {

struct FoundStream {
  store::TablePtr table;
  const store::StreamInfo* stream = nullptr;  // of `table`
};
Result<FoundStream, ApiError> find_stream(const Services& services, std::string_view arn);

struct NamedShard {
  std::string id;
  std::string parent_id;  // empty for a first generation, or when the parent is gone
  const store::StreamShard* shard = nullptr;
};
// Ascending by id.
std::vector<NamedShard> named_shards(const store::StreamInfo& stream);

}  // namespace meridian::api
