#include "tests/sim/sim_replicator.h"

#include "common/check.h"
#include "tests/sim/flow_driver.h"

namespace meridian::sim {
namespace {

constexpr std::size_t kCheckpointsKept = 4;
// The node is told of all flows together, so often.
constexpr std::int64_t kTellUs = 100'000;

}  // namespace

SimReplicator::SimReplicator(std::size_t source, Outside& outside, Rng rng)
    : source_(source), outside_(outside), rng_(rng) {}

SimReplicator::~SimReplicator() = default;

void SimReplicator::start() {
  MERIDIAN_CHECK(!up_);
  up_ = true;
  run_ = std::make_shared<bool>(true);
  outside_.trace.note("replicator {} up", source_);
  for (std::uint16_t shard = 0; shard < outside_.shape.regions[source_].shards; ++shard) {
    for (std::size_t sink = 0; sink < outside_.nodes.size(); ++sink) {
      if (sink == source_) continue;
      FlowKey key{shard, sink};
      auto driver = std::make_shared<FlowDriver>(source_, key, outside_, *this, Rng(rng_.next()));
      drivers_.push_back(driver);
      std::optional<LogPosition> checkpoint;
      if (!checkpoints_[key].empty()) checkpoint = checkpoints_[key].back();
      // The run before may have saved it and told the node nothing.
      if (checkpoint) acknowledge(key, *checkpoint);
      driver->start(checkpoint);
    }
  }
}

void SimReplicator::link_up(std::size_t sink) {
  for (auto& driver : drivers_)
    if (driver->sink() == sink) driver->link_up();
}

void SimReplicator::end() {
  up_ = false;
  shipped_before_ = records_shipped();
  drivers_.clear();
  acknowledged_.clear();
  run_.reset();
  telling_ = false;
}

void SimReplicator::stop() {
  MERIDIAN_CHECK(up_);
  outside_.trace.note("replicator {} stops", source_);
  for (auto& driver : drivers_) driver->stop();
  tell();
  end();
}

void SimReplicator::crash() {
  MERIDIAN_CHECK(up_);
  outside_.trace.note("replicator {} crashes", source_);
  end();
  // Checkpoints are stored without waiting for the disk: the newest may be gone.
  for (auto& [flow, saved] : checkpoints_)
    for (std::uint64_t lost = rng_.below(kCheckpointsKept); lost > 0 && !saved.empty(); --lost)
      saved.pop_back();
}

void SimReplicator::save(const FlowKey& flow, const LogPosition& position) {
  auto& saved = checkpoints_[flow];
  if (!saved.empty() && position.sequence < saved.back().sequence)
    outside_.findings.add("P11", "a checkpoint moves back");
  saved.push_back(position);
  if (saved.size() > kCheckpointsKept) saved.pop_front();
  acknowledge(flow, position);
}

void SimReplicator::acknowledge(const FlowKey& flow, const LogPosition& position) {
  acknowledged_[flow] = {position, false};
  tell_soon();
}

void SimReplicator::node_up() {
  for (auto& [flow, acknowledged] : acknowledged_) acknowledged.told = false;
  if (up_) tell_soon();
}

void SimReplicator::tell_soon() {
  if (telling_) return;
  telling_ = true;
  outside_.queue.after(kTellUs, [this, run = std::weak_ptr<bool>(run_)] {
    if (run.expired()) return;
    telling_ = false;
    tell();
  });
}

void SimReplicator::tell() {
  SimNode& node = *outside_.nodes[source_];
  if (!node.up()) return;  // node_up() begins again
  for (auto& [flow, acknowledged] : acknowledged_) {
    if (acknowledged.told) continue;
    acknowledged.told = true;
    node.acknowledge({outside_.table, ShardId(flow.shard), outside_.nodes[flow.sink]->region(),
                      acknowledged.position});
  }
}

std::uint64_t SimReplicator::records_shipped() const {
  std::uint64_t shipped = shipped_before_;
  for (const auto& driver : drivers_) shipped += driver->pump().records_shipped();
  return shipped;
}

std::vector<std::string> SimReplicator::states() const {
  std::vector<std::string> out;
  for (const auto& driver : drivers_) out.push_back(driver->state());
  return out;
}

}  // namespace meridian::sim
