// LogReads: what the flows of one table to one sink want to read of the own region's log, together in
// one call.
//
// Shards mostly grow in the same commits, so that reading them together saves most of the messages.
// Reads that are asked for in one turn of the loop go into one call, a long poll for the first of them
// that finds something; those that found nothing go on with the next call, until their own time is up.
//
// Threads: the KJ thread.  Borrows: session and clock.
// Errors: a call that fails rejects every read that was in it.
// Limits: kLogReadsMax reads in a call.
#pragma once

#include <kj/async.h>
#include <kj/refcount.h>

#include <vector>

#include "common/clock.h"
#include "replicator/core/pump.h"
#include "rpc/session.h"

namespace meridian::replicator {

struct ReadPage {
  rpc::LogPage page;
  std::int64_t read_us = 0;  // when the node answered, by its clock; 0: a node that does not say
};

class LogReads final : private kj::TaskSet::ErrorHandler {
 public:
  LogReads(rpc::Session& source, const Clock& clock, RegionId origin, TableId table, RegionId sink)
      : source_(source),
        clock_(clock),
        origin_(origin),
        table_(table),
        sink_(sink),
        calls_(*this) {}

  // Answered at once when there is something, or after `read.wait_ms`.
  kj::Promise<ReadPage> read(ShardId shard, const ReadLog& read);

 private:
  struct Waiting {
    rpc::LogRead read;
    std::int64_t until_ms;
    kj::Own<kj::PromiseFulfiller<ReadPage>> page;
  };
  // What one call reads; shared by its two ends.
  struct Reads : kj::Refcounted {
    std::vector<Waiting> waiting;
  };
  void call_soon();
  void call();
  struct Answered {
    std::vector<rpc::LogPage> pages;
    std::int64_t read_us;
  };
  void answer(std::vector<Waiting> waiting, Answered answered);
  void taskFailed(kj::Exception&& failure) override;

  rpc::Session& source_;
  const Clock& clock_;
  const RegionId origin_;
  const TableId table_;
  const RegionId sink_;
  std::vector<Waiting> unsent_;
  bool calling_soon_ = false;
  kj::TaskSet calls_;  // last: cancelled first
};

}  // namespace meridian::replicator
