// Topology: keeps asking the own region node which tables have replicas elsewhere, by long poll.
// Threads: the KJ thread.  Borrows: session, timer.  Errors: logged once per outage and tried again.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <functional>

#include "common/log.h"
#include "rpc/messages.h"
#include "rpc/session.h"

namespace meridian::replicator {

class Topology {
 public:
  static constexpr std::uint32_t kWaitMs = 5000;
  static constexpr std::int64_t kRetryMs = 200;

  Topology(rpc::Session& source, kj::Timer& timer, Logger log,
           std::function<void(const rpc::ReplicatedTables&)> changed)
      : source_(source), timer_(timer), log_(std::move(log)), changed_(std::move(changed)) {}

  void start() { running_ = watch().eagerlyEvaluate(nullptr); }
  // A node that was started again counts its catalog's generations anew.
  void forget() { generation_ = 0; }

 private:
  kj::Promise<void> watch();
  kj::Promise<void> ask();

  rpc::Session& source_;
  kj::Timer& timer_;
  const Logger log_;
  const std::function<void(const rpc::ReplicatedTables&)> changed_;
  std::uint64_t generation_ = 0;
  kj::Promise<void> running_ = nullptr;
};

}  // namespace meridian::replicator
