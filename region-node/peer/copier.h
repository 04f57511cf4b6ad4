// Copier: fills this region's new replicas: runs a copy::TableCopy for each table whose replica here is
// not whole yet, over the sessions of Membership, and says how far it is.
//
// Threads: the KJ thread.  Owns: a Reader.  Borrows: World.
// Errors: none escape; a copy waits and tries again, and its progress says why.  When the store cannot
// be read, it is begun again from its cursor as soon as it can.
// Limits: copy::CopyLimits; copies that run at the same time share the one on bytes.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <map>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/log.h"
#include "region-node/copy/table_copy.h"
#include "region-node/peer/controlled.h"
#include "region-node/peer/copy_board.h"
#include "region-node/peer/membership.h"
#include "region-node/store/store.h"
#include "rpc/completions.h"

namespace meridian::peer {

// The first protocol that knows of replicas that are not whole: see rpc/README.md.
inline constexpr std::uint32_t kCopyProtocol = 3;

class Copier final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr std::int64_t kRoundMs = 500;

  struct World {
    store::Store& store;
    const Clock& clock;
    kj::Timer& timer;
    std::shared_ptr<rpc::KjMailbox> mailbox;
    Membership& membership;
    CopyBoard& board;
    copy::CopyLimits limits;
    Logger log;
  };
  explicit Copier(World world);
  ~Copier();

  void start();

 private:
  struct Copy {
    Copy(TableId id_in, conflict::Version joined_in, RegionId self, copy::CopyLimits limits)
        : id(id_in), joined(joined_in), core(self, limits) {}
    TableId id;
    conflict::Version joined;  // which life of the replica is filled
    copy::TableCopy core;
    copy::Action next;
    bool failed = false;  // its task has ended, and the next round begins it again
    kj::Promise<void> task = nullptr;
  };
  using Step = kj::Promise<void>;

  Step rounds();
  void round();
  [[nodiscard]] bool over(const Copy& copy, const store::TablePtr& table) const;
  void begin(const store::TableInfo& table);
  Step run(Copy& copy);
  void look(Copy& copy);
  void report(const store::TableInfo& table, Copy& copy);
  [[nodiscard]] std::int64_t now_ms() const { return world_.clock.monotonic_ms(); }
  rpc::Session& session_to(const RegionId& region);

  Step perform(Copy& copy, copy::Register& action);
  Step perform(Copy& copy, copy::AskOffer& action);
  Step perform(Copy& copy, copy::Begin& action);
  Step perform(Copy& copy, copy::ReadRows& action);
  Step perform(Copy& copy, copy::ApplyRows& action);
  Step perform(Copy& copy, copy::LookAtFlows& action);
  Step perform(Copy& copy, copy::Finish& action);
  Step perform(Copy& copy, copy::Wait& action);
  kj::Promise<Controlled> store_step(const TableId& id, store::CopyStep step);
  void taskFailed(kj::Exception&& failure) override;

  const World world_;
  const RegionId self_;
  const std::unique_ptr<store::Reader> reader_;
  rpc::Completions<Controlled> controls_;
  rpc::Completions<rpc::RowsOutcome> outcomes_;
  bool failing_ = false;  // the last round did
  std::map<TableId, kj::Own<Copy>> copies_;
  kj::TaskSet tasks_;  // last: cancelled first
};

}  // namespace meridian::peer
