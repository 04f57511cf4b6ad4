// Control: adds and removes replicas of a table, together with the other regions' nodes.
//
// Create: enable a stream, let the target make an empty copy under the same table id, then note both
// regions as members and push.  Of a table that was ever written to, the target notes itself as one
// that is to be filled, and fills itself (copier.h).  Delete: let the target drop its copy (it refuses
// what nobody else has), then note its removal and push.  Each step may be repeated: a call that
// failed half way is finished by calling again, or by Membership's rounds.
//
// Two regions must not remove each other: while a removal that this region asked for is under way, it
// refuses to be the one removed.
//
// Threads: the KJ thread; `Done` callbacks run on it.  Borrows: store, membership, timer.
// Errors: ApiError, in AWS's words where AWS has words.
// Limits: one change per table at a time; kDrainMsMax.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <memory>
#include <set>

#include "common/log.h"
#include "region-node/api/replica_control.h"
#include "region-node/peer/controlled.h"
#include "region-node/peer/membership.h"
#include "region-node/store/store.h"
#include "rpc/completions.h"
#include "rpc/messages.h"

namespace meridian::peer {

// Answers a control request exactly once: with what is said, or "unavailable" when it is dropped.
class Answer {
 public:
  explicit Answer(api::ReplicaControl::Done done) : done_(std::move(done)) {}
  ~Answer();
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void give(Result<void, api::ApiError> result);

 private:
  api::ReplicaControl::Done done_;
};
using AnswerPtr = std::shared_ptr<Answer>;

class Control final : private kj::TaskSet::ErrorHandler {
 public:
  // How long a removal waits for the last records to reach another replica.
  static constexpr std::int64_t kDrainMsMax = 5000;
  static constexpr std::int64_t kDrainPollMs = 100;

  Control(store::Store& store, Membership& membership, kj::Timer& timer,
          std::shared_ptr<rpc::KjMailbox> mailbox, Logger log);

  void create_replica(store::TablePtr table, RegionId region, AnswerPtr answer);
  void delete_replica(store::TablePtr table, RegionId region, AnswerPtr answer);
  void expel_replica(store::TablePtr table, RegionId region, AnswerPtr answer);
  void drop_table(store::TablePtr table, AnswerPtr answer);
  // Another region asks for this region's copy to go.
  kj::Promise<rpc::Refusal> drop_replica(TableId table);

 private:
  using Step = kj::Promise<void>;

  // Runs `steps`, one change per table at a time, and answers success when they end.
  template <typename Steps>
  void change(const store::TablePtr& table, AnswerPtr answer, Steps&& steps);

  Step check_creation(const store::TableInfo& table, const RegionId& region,
                      const AnswerPtr& answer);
  // Ends the chain of steps when the region cannot be reached.
  rpc::Session& reach(const RegionId& region, const AnswerPtr& answer);
  Step enable_stream(const TableId& id, const AnswerPtr& answer);
  [[nodiscard]] bool fresh(const TableId& id);
  Step create_whole(const TableId& id, const RegionId& region, const AnswerPtr& answer);
  Step create_copy(const TableId& id, const RegionId& region, const AnswerPtr& answer);
  Step ask_creation(const TableId& id, const RegionId& region, bool copy,
                    const AnswerPtr& answer);
  Step join(const TableId& id, const RegionId& region, const AnswerPtr& answer);
  Step ask_drop(const TableId& id, const RegionId& region, const AnswerPtr& answer);
  Step note_expelled(const TableId& id, const RegionId& region, const AnswerPtr& answer);
  Step leave_alone(const TableId& id, const AnswerPtr& answer);
  Step leave(const TableId& id, const RegionId& region, const AnswerPtr& answer);
  Step leave_and_drop(const store::TablePtr& table, const AnswerPtr& answer);
  Step set_member(const TableId& id, const RegionId& region, bool present, const AnswerPtr& answer);
  kj::Promise<Controlled> set_replica(const TableId& id, const RegionId& region, bool present);
  kj::Promise<Controlled> drop_local(const TableId& id, bool force);
  kj::Promise<Controlled> drop_when_drained(const TableId& id, kj::TimePoint deadline);
  kj::Promise<bool> drained(const TableId& id, kj::TimePoint deadline);
  void taskFailed(kj::Exception&& failure) override;

  store::Store& store_;
  Membership& membership_;
  kj::Timer& timer_;
  const Logger log_;
  const RegionId self_;
  const std::unique_ptr<store::Reader> reader_;
  rpc::Completions<Controlled> controls_;
  std::set<TableId> changing_;
  std::set<TableId> removing_;  // of changing_: this region asked another to give up its copy
  kj::TaskSet tasks_;           // last: cancelled first
};

}  // namespace meridian::peer
