// ReplicaPages: what an operator may do to replicas that DynamoDB's API has no words for.
//
//   POST /v1/tables/TABLE/replicas/REGION/expel   takes a dead region off the table
//
// Threads: the admin server's; the answer waits for the peer layer, kWaitMsMax at most.
// Borrows: store, replica control.
#pragma once

#include <optional>

#include "common/http/server.h"
#include "region-node/api/replica_control.h"
#include "region-node/store/store.h"

namespace meridian::node {

class ReplicaPages {
 public:
  static constexpr std::int64_t kWaitMsMax = 10'000;

  ReplicaPages(store::Store& store, api::ReplicaControl& control)
      : store_(store), control_(control) {}

  // Empty: not one of these pages.
  std::optional<http::Response> handle(const http::Request& request);

 private:
  store::Store& store_;
  api::ReplicaControl& control_;
};

}  // namespace meridian::node
