// RepairPages: the part of a node's admin endpoint that shows repairs and asks for them.
//
//   GET  /v1/repairs               {"region", "repairs": [one for each table and peer: {"table", "peer",
//                                  "needed", "doing", "problem", "frozen", "repairs", "rows", "bytes",
//                                  "last": {"rows", "bytes", "ms"}, "scrub": {"at_ms", "rows",
//                                  "in_flight", "differing"} or null}]}
//   POST /v1/tables/NAME/repair    compares the table with the peer and mends what differs, soon, whether
//        ?peer=REGION              or not anything looks wrong
//
// Errors: 400 and 404 with {"error": "..."}; 503 when the node does not answer in time.
// Threads: handle() on any one thread at a time.  Borrows: the store.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "common/http/server.h"
#include "region-node/peer/repair_status.h"
#include "region-node/store/store.h"

namespace meridian::node {

class RepairPages {
 public:
  struct Repairs {
    // Empty when the node does not answer in time.
    std::function<std::optional<std::vector<peer::RepairStatus>>()> read;
    // Answers whether it was heard.
    std::function<bool(TableId, RegionId)> ask;
  };
  RepairPages(store::Store& store, Repairs repairs)
      : store_(store), repairs_(std::move(repairs)) {}

  // Empty when the page is not one of these.
  std::optional<http::Response> handle(const http::Request& request) const;

 private:
  http::Response list() const;
  http::Response ask(const std::string& table, const std::string& peer) const;

  store::Store& store_;
  const Repairs repairs_;
};

}  // namespace meridian::node
