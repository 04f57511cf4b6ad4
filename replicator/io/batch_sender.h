// BatchSender: ships the batches of all flows to one sink, small ones together in one call.
//
// Batches that are shipped in one turn of the loop go into one call as long as they are small; the
// sink mostly applies them in one commit anyhow, and the messages cost more than they carry.
//
// Threads: the KJ thread.  Borrows: the session and the link's faults.
// Errors: a call that fails rejects every batch that was in it.
// Limits: kBatchesMax batches in a call, kTogetherWordsMax words but for one that is larger by itself.
#pragma once

#include <kj/async.h>
#include <kj/refcount.h>

#include <cstddef>
#include <vector>

#include "rpc/change_record.h"
#include "rpc/faults/link_faults.h"
#include "rpc/session.h"

namespace meridian::replicator {

class BatchSender final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr std::size_t kTogetherWordsMax = 32 * 1024;
  // Applying may wait for a busy writer; a dead connection is noticed by its heartbeat, not by this.
  static constexpr std::int64_t kApplyExtraMs = 25'000;

  BatchSender(rpc::Session& sink, rpc::FaultLink& faults)
      : sink_(sink), faults_(faults), calls_(*this) {}

  // Waits while the link is paused.  Batches of a flow arrive in the order in which they are sent.
  kj::Promise<rpc::ApplyOutcome> send(rpc::ReplicationBatch batch);

 private:
  struct Waiting {
    rpc::ReplicationBatch batch;
    std::size_t words;
    kj::Own<kj::PromiseFulfiller<rpc::ApplyOutcome>> outcome;
  };
  // What one call carries; shared by its two ends.
  struct Batches : kj::Refcounted {
    std::vector<kj::Own<kj::PromiseFulfiller<rpc::ApplyOutcome>>> outcomes;
  };
  void call_all();
  void call(std::vector<Waiting>& batches, std::size_t words);
  void taskFailed(kj::Exception&& failure) override;

  rpc::Session& sink_;
  rpc::FaultLink& faults_;
  std::vector<Waiting> unsent_;
  bool sending_soon_ = false;
  kj::TaskSet calls_;  // last: cancelled first
};

}  // namespace meridian::replicator
