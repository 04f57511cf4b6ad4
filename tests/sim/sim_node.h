// SimNode: one region node on virtual time: the production store engine without threads, the peer
// RPC's duties (positions, batches, log reads that wait), and a machine that crashes.
//
// A crash loses everything queued and not committed, every waiting read and every answer on its way
// out; what was committed stays on the disk.  A call to a node that is down answers nothing.
// Threads: one.  Owns: the disk, the store of the present run.  Borrows: EventQueue, SimClock, Trace.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "region-node/store/store.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/shape.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/store_host.h"
#include "tests/sim/trace.h"

namespace meridian::sim {

class SimNode {
 public:
  enum class Crash {
    plain,         // what is queued is lost
    after_commit,  // what is queued is committed, and nobody hears of it
    power,         // what is queued is lost, and what was written and not synced, or some of it
  };

  SimNode(std::size_t index, RegionId region, const Shape& shape, EventQueue& queue,
          SimClock& clock, Trace& trace);

  // A disk that fails meanwhile leaves it down.
  void start();
  void crash(Crash kind);
  // Told when the disk took the power away in the middle of something: the node is down then.
  void on_death(std::function<void()> listener) { on_death_ = std::move(listener); }
  // Told after each group that was committed, and after each start, when nothing has been trimmed since.
  void on_committed(std::function<void()> listener) { on_committed_ = std::move(listener); }
  [[nodiscard]] SimDisk& disk() { return host_.disk(); }
  [[nodiscard]] std::vector<std::string> invariants() const { return host_.invariants(); }
  [[nodiscard]] bool up() const { return host_.open(); }
  [[nodiscard]] const RegionId& region() const { return region_; }
  [[nodiscard]] std::uint32_t starts() const { return starts_; }
  [[nodiscard]] const SimClock& clock() const { return clock_; }
  // Its clock was behind what it had minted when it started, and it was told to start in spite of that.
  [[nodiscard]] bool told_clock() const { return host_.told_clock(); }
  // REQUIRES for the rest: up().
  [[nodiscard]] NodeId node_id() { return host_.store().node_id(); }
  [[nodiscard]] store::Store& store() { return host_.store(); }
  [[nodiscard]] store::Reader& reader();
  // When the life of a region's replica began, as far as it knows; empty if that has none.
  [[nodiscard]] std::optional<conflict::Version> life_of(const TableId& table,
                                                         const RegionId& region);

  // Each answers at most once; never, if the node crashes first.
  void write(TableId table, Bytes key, std::shared_ptr<store::ItemMutation> mutation,
             std::function<void(const store::WriteResult&)> answer);
  // Whether a write waits for its commit, which may stall: it is in no log before.
  [[nodiscard]] bool has_open_writes() const { return open_writes_ > 0; }
  void apply(const rpc::ReplicationBatch& batch, NodeId source_node,
             std::function<void(const rpc::ApplyOutcome&)> answer);
  void flow_position(const rpc::FlowId& flow,
                     const std::function<void(rpc::ApplyStatus, LogPosition)>& answer);
  // As a seed of `asker`'s new replica.
  rpc::CopyOffer offer_copy(const rpc::OfferQuestion& question, const RegionId& asker);
  void read_log(const TableId& table, ShardId shard, const RegionId& sink,
                const LogPosition& after, const store::LogLimits& limits, std::int64_t wait_ms,
                std::function<void(rpc::LogPage)> answer);
  void acknowledge(store::Acknowledgement acknowledgement);
  void barrier(std::vector<TableId> tables, std::function<void(const rpc::Barrier&)> answer);
  // The time of the newest barrier that was answered; over restarts, until the region forgets what it said.
  [[nodiscard]] conflict::Hlc told_barrier() const { return told_barrier_; }
  void forget_barriers() { told_barrier_ = {}; }
  void advance(RegionId source, NodeId source_node, std::vector<rpc::Barrier> barriers,
               std::function<void(const store::Reached&)> answer);

  // For what is submitted to store() itself: `answer`, if it can leave the node when it comes.
  template <typename Result>
  std::function<void(const Result&)> hearing(std::function<void(const Result&)> answer) {
    return [this, start = starts_, answer = std::move(answer)](const Result& result) {
      if (hears(start)) answer(result);
    };
  }
  // Has what was submitted committed as a client's write is.
  void commit_soon() { schedule_commit(); }

  // Makes the replicated table, at once.  Before anything else.
  void create_table(store::TableSpec spec);
  // Commits what is queued, at once.
  void commit_now();

 private:
  struct WaitingRead {
    TableId table;
    ShardId shard;
    RegionId sink;
    LogPosition after;
    store::LogLimits limits;
    std::uint64_t id;
    std::function<void(rpc::LogPage)> answer;
  };
  // True in callbacks of the run that made them, while its answers may leave the node.
  [[nodiscard]] bool hears(std::uint32_t start) {
    return start == starts_ && !mute_ && up() && !disk().dead();
  }
  void commit();
  void tell_committed();
  void schedule_commit();
  void tick(std::uint32_t start);
  bool at_end(const WaitingRead& read);
  std::optional<rpc::LogPage> look(WaitingRead& read);
  rpc::LogPage whole_page(const WaitingRead& read);
  void wake_reads();
  void expire_read(std::uint64_t id);

  std::size_t index_;
  RegionId region_;
  const RegionShape& shape_;
  EventQueue& queue_;
  SimClock& clock_;
  Trace& trace_;
  std::uint64_t seed_;
  StoreHost host_;
  std::unique_ptr<store::Reader> reader_;
  std::function<void()> on_death_;
  std::function<void()> on_committed_;
  std::uint32_t starts_ = 0;
  conflict::Hlc told_barrier_;
  std::size_t open_writes_ = 0;
  bool mute_ = false;
  bool commit_scheduled_ = false;
  bool wake_scheduled_ = false;
  std::uint64_t next_read_ = 1;
  std::list<WaitingRead> waiting_;
};

}  // namespace meridian::sim
