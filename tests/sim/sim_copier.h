// SimCopier: what a region node does by itself, beside serving: fills its new replicas, with the
// production TableCopy, tells the other regions of the memberships that it knows, and recognises those
// that have lost their data.
//
// A crash of the node loses all of it; what is stored is taken up again.
// Threads: one.  Borrows: everything in Outside.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "region-node/copy/table_copy.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class SimCopier {
 public:
  SimCopier(std::size_t region, Outside& outside) : region_(region), outside_(outside) {}

  // Looks now and then what there is to do, for ever.
  void start();
  // An operator makes the table here, with the other regions' memberships as `spec` has them.
  void join(store::TableSpec spec);
  // Some region is as it was a while ago, or empty.  REQUIRES: it is up, and nothing was written since.
  void region_forgot(std::size_t region);

 private:
  using Versions = std::map<Bytes, conflict::Version>;  // by key
  struct Offered {
    rpc::CopyOffer offer;
    Versions written;  // by the seed itself, as of the offer
  };
  // One copy in one run of the node.
  struct Copy {
    Copy(std::size_t table_in, std::uint32_t run_in, RegionId self, copy::CopyLimits limits)
        : table(table_in), run(run_in), core(self, limits) {}
    std::size_t table;
    std::uint32_t run;
    copy::TableCopy core;
    std::uint64_t step = 0;  // an answer to an earlier one comes too late
    Versions owed;  // see written_by()
    std::size_t owed_by = 0;  // the seed
    bool has_goal = false;  // what the seed had at the end of the scan is owed
  };
  using CopyPtr = std::shared_ptr<Copy>;
  template <typename Value>
  using Answered = std::function<copy::Action(copy::TableCopy&, const Value&, std::int64_t)>;

  void look();
  // sim_new_life.cc
  void recognise(std::size_t to);
  void ask_new_life(std::size_t to, NodeId there);
  [[nodiscard]] store::TableSpec replica_spec(const store::TableInfo& info, std::size_t to) const;
  void tell(std::size_t table, std::size_t to);
  void take_up(std::size_t table);
  void set_members(Copy& copy);
  void perform(const CopyPtr& copy, copy::Action action);
  void perform_one(const CopyPtr& copy, copy::Register& action);
  void perform_one(const CopyPtr& copy, copy::AskOffer& action);
  void perform_one(const CopyPtr& copy, copy::Begin& action);
  void perform_one(const CopyPtr& copy, copy::ReadRows& action);
  void perform_one(const CopyPtr& copy, copy::ApplyRows& action);
  void perform_one(const CopyPtr& copy, copy::LookAtFlows& action);
  void perform_one(const CopyPtr& copy, copy::Finish& action);
  void perform_one(const CopyPtr& copy, copy::Wait& action);
  // Runs `answered` with what comes back, if it is still waited for.
  template <typename Value>
  std::function<void(Value)> awaited(const CopyPtr& copy, Answered<Value> answered);
  // Asks `ask` at the far end, which answers at most once; fails after a while.
  template <typename Value>
  void call(const CopyPtr& copy, const RegionId& to,
            std::function<void(SimNode&, std::function<void(Value)>)> ask,
            Answered<Value> answered);
  void store_step(const CopyPtr& copy, store::CopyStep step, Answered<bool> answered);
  static Versions written_by(SimNode& seed, const TableId& table);
  static void owes(Copy& copy, const Versions& written);
  static void owes_less(Copy& copy, const Versions& written);
  void check_whole(const Copy& copy) const;
  [[nodiscard]] bool alive(const Copy& copy) const;
  [[nodiscard]] std::size_t index_of(const RegionId& region) const;
  [[nodiscard]] bool reaches(std::size_t to) const;
  [[nodiscard]] SimNode& node() const { return *outside_.nodes[region_]; }
  [[nodiscard]] std::int64_t now_ms() const { return outside_.queue.now_ms(); }
  [[nodiscard]] copy::CopyLimits limits() const;

  std::size_t region_;
  Outside& outside_;
  std::map<std::size_t, CopyPtr> copies_;  // by table
};

}  // namespace meridian::sim
