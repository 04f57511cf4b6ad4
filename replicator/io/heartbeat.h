// Heartbeat: takes barriers from the own region node and carries them to the sinks, so that their
// watermarks move on idle links as well.
//
// One call a second asks for a barrier over all tables that want one; one call a second and sink
// carries what waits for it, whatever the number of tables.  Each sink has a loop of its own, so one
// that does not answer delays nobody.
//
// Threads: the KJ thread.  Owns: its loops.  Borrows: sessions and timer.
// Errors: a call that fails is tried again with the next beat.
// Limits: kBeatMs; rpc::kBarrierTablesMax tables in a call.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include "common/log.h"
#include "replicator/core/heartbeats.h"
#include "rpc/messages.h"
#include "rpc/session.h"

namespace meridian::replicator {

class Heartbeat final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr std::int64_t kBeatMs = 1000;

  Heartbeat(rpc::Session& source, kj::Timer& timer, const Logger& log);

  void follow(std::map<TableId, std::set<RegionId>> sinks) { beats_.follow(std::move(sinks)); }
  // Begins to carry barriers to a sink.  Once for each.
  void add_sink(const RegionId& region, rpc::Session& session);
  // The own node answers (again).
  void source_up(StartId start) { beats_.source_started(start); }

 private:
  kj::Promise<void> take_for_ever();
  kj::Promise<void> take();
  kj::Promise<void> carry_for_ever(RegionId region, rpc::Session& session);
  kj::Promise<void> carry(const RegionId& region, rpc::Session& session);
  void taskFailed(kj::Exception&& failure) override;

  rpc::Session& source_;
  kj::Timer& timer_;
  const Logger log_;
  Heartbeats beats_;
  kj::TaskSet tasks_;  // last: cancelled first
};

}  // namespace meridian::replicator
