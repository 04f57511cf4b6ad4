// CollectionPages: the part of a node's admin endpoint that shows which tombstones wait to be collected,
// and for whom.
//
//   GET /v1/collections   {"region", "collections": [one for each table with tombstones that are old
//                         enough: {"table", "oldest_ms", "horizon_ms", "replica" or null, "why",
//                         "stalled"}]}
//
// Errors: 503 with {"error": "..."} when the node does not answer in time.
// Threads: handle() on any one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "common/http/server.h"
#include "common/ids.h"
#include "region-node/peer/collection_status.h"

namespace meridian::node {

class CollectionPages {
 public:
  using Read = std::function<std::optional<std::vector<peer::CollectionStatus>>()>;
  CollectionPages(const RegionId& region, Read read) : region_(region), read_(std::move(read)) {}

  // Empty when the page is not one of these.
  std::optional<http::Response> handle(const http::Request& request) const;

 private:
  const RegionId region_;
  const Read read_;
};

}  // namespace meridian::node
