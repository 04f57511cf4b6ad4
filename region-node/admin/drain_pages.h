// DrainPages: the two halves of `meridian drain` on the admin endpoint.
//
//   POST /v1/barrier?sink=REGION   makes a barrier over the tables shared with REGION, and answers
//        [&table=NAME]             what the sink is to be asked:
//        {"region", "start", "time", "released": [ORIGIN],
//         "tables": [{"name", "id", "ends": [{"start", "sequence"}],
//         "flows": [{"source", "shard", "start", "sequence"}], "watermarks": {ORIGIN: TIME},
//         "mended", "unsettled": {ORIGIN: [REGION]}, "left_out"}],
//         "not_shared": [NAME]}
//        left_out: why the barrier is not over the table, so that nobody can say yes: "frozen" (this
//        region has lost some of its writes and is not told yet which), "fenced" (the others removed its
//        replica unasked), "gone" (deleted meanwhile); else "".
//   POST /v1/drained               with such a body: whether this region has all of it:
//        {"region", "drained", "tables": [{"name", "id", "drained", "member", "whole", "reached", "parked",
//         "behind": [ORIGIN]}]}
//        Of no tables at all the answer is no.
// Numbers of 64 bits that are no counts are 16 hexadecimal digits.
//
// Threads: the admin server's one.  Owns: a reader.  Borrows: the store.
// Errors: 400, 404 and 503 with {"error": "..."}.
// Limits: kBarrierMsMax to wait for the writer.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "common/http/server.h"
#include "region-node/admin/target.h"
#include "region-node/store/store.h"

namespace meridian::admin {

class DrainPages {
 public:
  static constexpr std::int64_t kBarrierMsMax = 5000;

  explicit DrainPages(store::Store& store);

  // Empty when the page is not one of these.
  std::optional<http::Response> handle(const http::Request& request);

 private:
  http::Response barrier(const Target& target);
  http::Response drained(const http::Request& request);
  void note_released(std::set<RegionId>& released);

  store::Store& store_;
  const std::unique_ptr<store::Reader> reader_;
};

}  // namespace meridian::admin
