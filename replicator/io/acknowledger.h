// Acknowledger: tells the own region node which positions the sinks have made durable, so that it can
// trim its log and refuse what would lose a record.  Batched: one call per kFlushMs carries all flows.
//
// What could not be told is kept and told again, as is everything after a reconnect: the node may have
// died before it noted the last call.
// Threads: the KJ thread.  Borrows: session, timer.
// Limits: one entry per flow.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <map>
#include <tuple>

#include "common/log.h"
#include "rpc/messages.h"
#include "rpc/session.h"

namespace meridian::replicator {

class Acknowledger final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr std::int64_t kFlushMs = 100;

  Acknowledger(rpc::Session& source, kj::Timer& timer, Logger log)
      : source_(source), timer_(timer), log_(std::move(log)), tasks_(*this) {}

  void add(const rpc::Acknowledgement& acknowledgement);
  // A flow that is over.
  void forget(const TableId& table, ShardId shard, const RegionId& sink);
  void repeat_all();
  // Tells what is left now; resolves in any case.
  kj::Promise<void> flush();

 private:
  using Key = std::tuple<TableId, ShardId, RegionId>;
  struct Entry {
    LogPosition position;
    bool told = false;
  };

  void schedule();
  void taskFailed(kj::Exception&& failure) override;

  rpc::Session& source_;
  kj::Timer& timer_;
  const Logger log_;
  std::map<Key, Entry> entries_;
  bool scheduled_ = false;
  kj::TaskSet tasks_;  // last: cancelled first
};

}  // namespace meridian::replicator
