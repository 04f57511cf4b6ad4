// FlowDriver: performs what one Pump asks for, over the simulated network, with a deadline for every
// request; the simulator's counterpart of the replicator's RPC driver.
//
// Threads: one.  Kept alive by its SimReplicator; answers that come later than that find it gone.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class FlowDriver : public std::enable_shared_from_this<FlowDriver> {
 public:
  FlowDriver(std::size_t source, SimReplicator::FlowKey key, Outside& outside, SimReplicator& owner,
             Rng rng);

  void start(std::optional<LogPosition> checkpoint);
  void stop();
  void link_up() { perform(pump_.on_link_up(now_ms())); }

  [[nodiscard]] const replicator::Pump& pump() const { return pump_; }
  [[nodiscard]] std::string state() const;
  [[nodiscard]] std::size_t sink() const { return key_.sink; }

 private:
  using RequestId = replicator::RequestId;

  void perform(replicator::Actions actions);
  void perform(const replicator::AskPosition& ask);
  // While the link is paused on purpose nothing is read or shipped.
  void perform(const replicator::ReadLog& read);
  void read_now(const replicator::ReadLog& read);
  void perform(replicator::ShipBatch& ship);
  void ship_now(RequestId id, rpc::ReplicationBatch batch);
  void perform(const replicator::SaveCheckpoint& save);
  void perform(const replicator::SetTimer& timer);
  void perform(const replicator::RecordsVisible& visible);
  void perform(const replicator::ProbeVisible& probe);

  void expect(RequestId id, std::int64_t deadline_ms);
  // True once: the answer is the first thing heard of this request.
  bool answered(RequestId id) { return awaited_.erase(id) > 0; }
  void fail(RequestId id, replicator::Failure failure);
  void refuse(RequestId id);
  void check_batch(const rpc::ReplicationBatch& batch);
  // The pump keeps to these whatever happens.
  void check_window();

  [[nodiscard]] std::int64_t now_ms() const { return outside_.queue.now_ms(); }
  [[nodiscard]] SimNode& source_node() { return *outside_.nodes[source_]; }
  [[nodiscard]] SimNode& sink_node() { return *outside_.nodes[key_.sink]; }

  std::size_t source_;
  SimReplicator::FlowKey key_;
  Outside& outside_;
  SimReplicator& owner_;
  Rng rng_;
  rpc::FlowId flow_;
  replicator::Pump pump_;
  std::uint64_t timer_ = 0;  // number of the newest; older ones do nothing
  std::set<RequestId> awaited_;
  std::size_t newest_bytes_ = 0;  // images in the newest batch
};

}  // namespace meridian::sim
