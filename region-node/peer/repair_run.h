// RepairRun: one walk of two regions through a table, over a session to the other: a comparison, or a
// repair from its begin to its end.
//
//     begin ─> pin our flows if they need it ─> facts ─> walk (repair/session.h) ─> finish both sides
//
// A repair that must look again (the ground had moved under a decision) walks once more before it
// finishes.  A run that fails leaves nothing half said: marks and pins stay, and the next run begins
// anew.
//
// Threads: the KJ thread; rows are read on the RowReader's.
// Borrows: store, session, timer, rows; all must outlive it.
// Errors: the promise of start() fails with what went wrong; `Busy` is an answer.
// Limits: kWalksMax; `rows_per_second` slows a comparison down.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "common/log.h"
#include "region-node/peer/row_reader.h"
#include "region-node/repair/session.h"
#include "region-node/store/store.h"
#include "rpc/session.h"

namespace meridian::peer {

struct RunFigures {
  repair::SessionFigures rows;
  std::vector<repair::Sample> samples;
  std::uint64_t bytes = 0;  // exchanged, both ways
  std::uint64_t calls = 0;
  bool busy = false;  // the other side is at it already; nothing was done
};

class RepairRun {
 public:
  static constexpr int kWalksMax = 3;

  struct World {
    store::Store& store;
    rpc::Session& session;
    kj::Timer& timer;
    RowReader& rows;
    std::shared_ptr<rpc::KjMailbox> mailbox;
    Logger log;
  };
  RepairRun(World world, store::TablePtr table, RegionId peer, repair::Purpose purpose,
            std::uint64_t rows_per_second);

  // To be called once.  Dropping the promise ends the run.
  kj::Promise<RunFigures> start();
  [[nodiscard]] const RunFigures& figures() const { return figures_; }

 private:
  using Changed = std::optional<std::vector<LogPosition>>;

  kj::Promise<void> compare();
  kj::Promise<void> mend();
  kj::Promise<void> begin(std::uint16_t shards_there);
  kj::Promise<void> walk();
  kj::Promise<void> go(repair::Step step);
  kj::Promise<void> finish();
  kj::Promise<Changed> change(store::RepairChange change);
  template <typename Answer>
  kj::Promise<Answer> ask(rpc::RepairRequest request);
  kj::Promise<void> learn_facts();
  kj::Promise<rpc::ReplicaFacts> facts_here();
  kj::Promise<void> forgive_collected();
  void note_walk();

  kj::Promise<repair::Step> perform(repair::DigestThere& step);
  kj::Promise<repair::Step> perform(repair::DigestHere& step);
  kj::Promise<repair::Step> perform(repair::HeadsHere& step);
  kj::Promise<repair::Step> perform(repair::CompareThere& step);
  kj::Promise<repair::Step> perform(repair::FetchHere& step);
  kj::Promise<repair::Step> perform(repair::FetchThere& step);
  kj::Promise<repair::Step> perform(repair::ApplyHere& step);
  kj::Promise<repair::Step> perform(repair::ApplyThere& step);
  kj::Promise<repair::Step> perform(repair::Finished& step);
  kj::Promise<repair::Step> perform(repair::Nonsense& step);
  kj::Promise<repair::Step> applied(rpc::RepairOutcome outcome, repair::Step again);

  World world_;
  const store::TablePtr table_;
  const RegionId peer_;
  const RegionId self_;
  const repair::Purpose purpose_;
  const std::uint64_t rows_per_second_;
  rpc::Completions<Changed> changes_;
  rpc::Completions<rpc::RepairOutcome> outcomes_;

  rpc::ReplicaFacts facts_here_;
  rpc::ReplicaFacts facts_there_;
  std::uint64_t settles_ = 0;  // by which membership both went at the begin; 0: not by the same
  std::vector<LogPosition> pins_here_;
  std::vector<LogPosition> pins_there_;
  std::unique_ptr<repair::Session> walk_;
  int walks_ = 0;
  std::optional<kj::TimePoint> waiting_since_;  // rows cannot be applied since then
  RunFigures figures_;
};

}  // namespace meridian::peer
