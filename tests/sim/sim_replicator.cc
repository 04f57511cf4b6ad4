#include "tests/sim/sim_replicator.h"

#include <fmt/format.h>

#include "common/check.h"
#include "tests/sim/flow_driver.h"
#include "tests/sim/sim_heartbeat.h"

namespace meridian::sim {
namespace {

constexpr const char* kCheckpointFile = "/checkpoints.db";
// The node is told of all flows together, so often.
constexpr std::int64_t kTellUs = 100'000;
// As CheckpointWriter's interval; what comes meanwhile is one transaction.
constexpr std::int64_t kSaveUs = 100'000;
// Leases move quickly here, so that much happens in a short run.
constexpr checkpoint::LeaseTiming kLeases{.round_ms = 200, .lease_ms = 700};
// Of a lease that ended long ago.
constexpr std::uint64_t kOldToken = std::uint64_t{1} << 62;

}  // namespace

SimReplicator::SimReplicator(std::size_t source, Outside& outside, SimDisk& disk,
                             std::uint64_t luck, Leases leases)
    : source_(source), outside_(outside), disk_(disk), luck_(luck), leases_mode_(leases) {}

SimReplicator::~SimReplicator() = default;

checkpoint::CheckpointKey SimReplicator::checkpoint_key(const FlowKey& flow) const {
  return {outside_.nodes[flow.sink]->region(), outside_.tables[flow.table], ShardId(flow.shard)};
}

// An operator takes a database away that cannot be read: it only saves questions.
std::map<SimReplicator::FlowKey, LogPosition> SimReplicator::open_checkpoints() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      checkpoints_.emplace(kCheckpointFile, disk_.vfs());
      lease_store_.emplace(kCheckpointFile, disk_.vfs());
      std::map<checkpoint::CheckpointKey, LogPosition> loaded;
      for (const auto& each : checkpoints_->load_all()) loaded[each.key] = each.position;
      std::map<FlowKey, LogPosition> known;
      for (std::size_t table = 0; table < outside_.tables.size(); ++table)
        for (std::uint16_t shard = 0; shard < outside_.shape.regions[source_].shards; ++shard)
          for (std::size_t sink = 0; sink < outside_.nodes.size(); ++sink)
            if (auto at = loaded.find(checkpoint_key({table, shard, sink})); at != loaded.end())
              known[{table, shard, sink}] = at->second;
      return known;
    } catch (const std::runtime_error& error) {
      outside_.trace.note("replicator {} cannot read its checkpoints", source_);
      ++unreadable_;
      lease_store_.reset();
      checkpoints_.reset();
      for (const auto& [name, content] : disk_.files()) disk_.remove(name, true);
    }
  }
  return {};
}

void SimReplicator::start() {
  MERIDIAN_CHECK(!up_);
  up_ = true;
  ++starts_;
  run_ = std::make_shared<bool>(true);
  outside_.trace.note("replicator {} up", source_);
  start_heartbeat();
  if (leases_mode_ == Leases::deaf) return start_deaf();
  open_checkpoints();
  checkpoint::WorkerId worker{fmt::format("worker-{}", luck_), std::to_string(starts_)};
  leases_.emplace(*lease_store_, worker, kLeases,
                  derived(outside_.shape.seed, Luck::lease, {luck_, source_, starts_}));
  lease_round();
}

// Whoever ships a table's first shard carries its barriers.
void SimReplicator::start_heartbeat() {
  heartbeat_ = std::make_shared<SimHeartbeat>(source_, outside_, [this](const TableId& table) {
    return tokens_.contains({table, ShardId(0)});
  });
  heartbeat_->start();
}

void SimReplicator::start_deaf() {
  auto known = open_checkpoints();
  for (const auto& lease : shards()) {
    tokens_[lease] = kOldToken;
    for (std::size_t sink = 0; sink < outside_.nodes.size(); ++sink) {
      FlowKey flow{table_of(lease), lease.shard.value, sink};
      auto at = known.find(flow);
      if (sink != source_)
        start_driver(flow, at == known.end() ? std::nullopt : std::optional(at->second));
    }
  }
}

void SimReplicator::start_driver(const FlowKey& flow, std::optional<LogPosition> checkpoint) {
  auto driver = std::make_shared<FlowDriver>(
      source_, flow, outside_, *this,
      derived(outside_.shape.seed, Luck::flow,
              {luck_, source_, starts_, flow.table, flow.shard, flow.sink,
               luck_of(outside_.queue.now_us())}));
  drivers_[flow] = driver;
  // The holder before may have saved it and told the node nothing.
  if (checkpoint) acknowledge(flow, *checkpoint);
  driver->start(checkpoint);
}

void SimReplicator::forget_sink(std::size_t sink) {
  std::vector<FlowKey> gone;
  std::vector<checkpoint::CheckpointKey> keys;
  for (const auto& [flow, driver] : drivers_) {
    if (flow.sink != sink) continue;
    shipped_before_ += driver->pump().records_shipped();
    gone.push_back(flow);
    keys.push_back(checkpoint_key(flow));
  }
  for (const auto& flow : gone) {
    drivers_.erase(flow);
    acknowledged_.erase(flow);
    unsaved_.erase(flow);
  }
  checkpoints_->forget(keys);
  for (const auto& flow : gone) start_driver(flow, std::nullopt);
}

void SimReplicator::own_node_changed() {
  std::map<FlowKey, std::optional<LogPosition>> begun;
  for (const auto& [flow, driver] : drivers_) {
    shipped_before_ += driver->pump().records_shipped();
    auto known = acknowledged_.find(flow);
    begun[flow] = known == acknowledged_.end() ? std::nullopt
                                                : std::optional(known->second.position);
  }
  drivers_.clear();
  for (const auto& [flow, checkpoint] : begun) start_driver(flow, checkpoint);
  start_heartbeat();
}

void SimReplicator::link_up(std::size_t sink) {
  for (auto& [flow, driver] : drivers_)
    if (flow.sink == sink) driver->link_up();
}

void SimReplicator::end() {
  up_ = false;
  shipped_before_ = records_shipped();
  drivers_.clear();
  heartbeat_.reset();
  acknowledged_.clear();
  unsaved_.clear();
  tokens_.clear();
  leases_.reset();
  lease_store_.reset();
  checkpoints_.reset();
  run_.reset();
  telling_ = false;
  saving_ = false;
  looking_ = false;
  std::erase_if(outside_.shippers, [this](const auto& each) { return each.second == this; });
}

void SimReplicator::stop() {
  MERIDIAN_CHECK(up_);
  outside_.trace.note("replicator {} stops", source_);
  for (auto& [flow, driver] : drivers_) driver->stop();
  write_checkpoints();
  tell();
  for (const auto& [lease, token] : tokens_)
    if (leases_) leases_->let_go(lease, token, {});
  end();
}

void SimReplicator::crash() {
  MERIDIAN_CHECK(up_);
  outside_.trace.note("replicator {} crashes", source_);
  end();
}

void SimReplicator::save(const FlowKey& flow, const LogPosition& position) {
  auto before = acknowledged_.find(flow);
  if (before != acknowledged_.end() && !outside_.forgot(source_) && !outside_.forgot(flow.sink) &&
      position.sequence < before->second.position.sequence)
    outside_.findings.add("P11", "a checkpoint moves back");
  unsaved_[flow] = position;
  soon(saving_, kSaveUs, &SimReplicator::write_checkpoints);
  acknowledge(flow, position);
}

void SimReplicator::write_checkpoints() {
  std::vector<checkpoint::Checkpoint> saves;
  for (const auto& [flow, position] : unsaved_)
    saves.push_back({checkpoint_key(flow), position, outside_.queue.now_ms(), token_of(flow)});
  if (saves.empty() || !checkpoints_) return;
  try {
    check_saved(saves, checkpoints_->save_batch(saves));
    unsaved_.clear();
  } catch (const std::runtime_error&) {
    outside_.trace.note("replicator {} cannot save its checkpoints", source_);
    soon(saving_, kSaveUs, &SimReplicator::write_checkpoints);
  }
}

void SimReplicator::acknowledge(const FlowKey& flow, const LogPosition& position) {
  acknowledged_[flow] = {position, false};
  soon(telling_, kTellUs, &SimReplicator::tell);
}

void SimReplicator::node_up() {
  for (auto& [flow, acknowledged] : acknowledged_) acknowledged.told = false;
  if (up_) soon(telling_, kTellUs, &SimReplicator::tell);
}

void SimReplicator::soon(bool& pending, std::int64_t after_us, void (SimReplicator::*action)()) {
  if (pending) return;
  pending = true;
  outside_.queue.after(after_us, [this, &pending, action, run = std::weak_ptr<bool>(run_)] {
    if (run.expired()) return;
    pending = false;
    (this->*action)();
  });
}

void SimReplicator::tell() {
  SimNode& node = *outside_.nodes[source_];
  if (!node.up()) return;  // node_up() begins again
  for (auto& [flow, acknowledged] : acknowledged_) {
    if (acknowledged.told) continue;
    acknowledged.told = true;
    node.acknowledge({outside_.tables[flow.table], ShardId(flow.shard),
                      outside_.nodes[flow.sink]->region(), acknowledged.position});
  }
}

std::uint64_t SimReplicator::records_shipped() const {
  std::uint64_t shipped = shipped_before_;
  for (const auto& [flow, driver] : drivers_) shipped += driver->pump().records_shipped();
  return shipped;
}

std::vector<std::string> SimReplicator::states() const {
  std::vector<std::string> out;
  for (const auto& [flow, driver] : drivers_) out.push_back(driver->state());
  return out;
}

}  // namespace meridian::sim
