// Api: the DynamoDB and DynamoDB Streams operations of one region, as a handler for the HTTP server.
//
// Requests are parsed, validated and compiled on the HTTP thread; writes go to the store's writer and
// are answered from there, reads use a pooled Reader on the HTTP thread.
// Threads: the handler is safe from any; collect() from any.
// Borrows: the store, the replica control and the clock must outlive the Api; the server that runs its
// handler must have stopped before the Api goes.  Writes still under way in the store may complete
// later.
// Errors: every failure is answered as AWS would (api/error.h); nothing escapes the handler.
// Limits: ApiOptions.
#pragma once

#include <cstddef>
#include <memory>

#include "common/clock.h"
#include "common/http/message.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "region-node/api/replica_control.h"
#include "region-node/store/store.h"

namespace meridian::api {

struct ApiOptions {
  // Readers of the store that may be open at once; a request beyond waits for one.  Set it to at
  // least the number of HTTP threads, so that none ever waits.
  std::size_t readers_max = 16;
  // Whether the calls of global tables version 2017.11.29 work, instead of failing as on AWS.
  bool global_tables_2017 = false;
};

class Api {
 public:
  // `rng` seeds the request ids.
  Api(store::Store& store, ReplicaControl& replicas, const Clock& clock, Rng rng, Logger log,
      ApiOptions options = {});
  ~Api();

  // Table and stream operations alike, told apart by X-Amz-Target; for either endpoint.
  [[nodiscard]] http::Handler handler();
  // Per operation: requests, errors by type, latency.
  void collect(MetricsPage& page) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace meridian::api
