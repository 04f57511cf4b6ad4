// The part of SimReplicator that shares shards with the region's other workers.
#include <fmt/format.h>

#include <algorithm>

#include "common/check.h"
#include "tests/sim/flow_driver.h"

namespace meridian::sim {
namespace {

constexpr std::int64_t kLeaseRoundUs = 200'000;

}  // namespace

std::set<checkpoint::LeaseKey> SimReplicator::shards() const {
  std::set<checkpoint::LeaseKey> out;
  for (const TableId& table : outside_.tables)
    for (std::uint16_t shard = 0; shard < outside_.shape.regions[source_].shards; ++shard)
      out.insert({table, ShardId(shard)});
  return out;
}

std::size_t SimReplicator::table_of(const checkpoint::LeaseKey& lease) const {
  auto at = std::find(outside_.tables.begin(), outside_.tables.end(), lease.table);
  MERIDIAN_CHECK(at != outside_.tables.end());
  return static_cast<std::size_t>(at - outside_.tables.begin());
}

std::uint64_t SimReplicator::token_of(const FlowKey& flow) const {
  auto at = tokens_.find({outside_.tables[flow.table], ShardId(flow.shard)});
  MERIDIAN_CHECK(at != tokens_.end());
  return at->second;
}

void SimReplicator::lease_round() {
  if (!leases_) return;
  try {
    auto outcome = leases_->round(shards(), outside_.queue.now_ms());
    for (const auto& lease : outcome.lost) end_lease(lease);
    for (const auto& lease : outcome.hand_over) {
      auto token = tokens_.at(lease);
      leases_->let_go(lease, token, end_lease(lease));
    }
    for (const auto& gained : outcome.gained) gain(gained);
  } catch (const std::runtime_error&) {
    outside_.trace.note("replicator {}/{} cannot look at its leases", source_, luck_);
  }
  soon(looking_, kLeaseRoundUs, &SimReplicator::lease_round);
}

void SimReplicator::gain(const checkpoint::LeaseWorker::Gained& gained) {
  std::size_t table = table_of(gained.key);
  std::uint16_t shard = gained.key.shard.value;
  outside_.trace.note("replicator {}/{} ships {}/{}, token {}", source_, luck_, table, shard,
                      gained.token);
  const SimReplicator*& shipper = outside_.shippers[{source_, table, shard}];
  if (shipper != nullptr)
    outside_.findings.add("lease", fmt::format("two workers of region {} ship shard {} of table {}",
                                               source_, shard, table));
  shipper = this;
  tokens_[gained.key] = gained.token;
  for (std::size_t sink = 0; sink < outside_.nodes.size(); ++sink) {
    if (sink == source_) continue;
    FlowKey flow{table, shard, sink};
    std::optional<LogPosition> checkpoint;
    for (const auto& each : gained.checkpoints)
      if (each.key == checkpoint_key(flow)) checkpoint = each.position;
    start_driver(flow, checkpoint);
  }
}

std::vector<checkpoint::Checkpoint> SimReplicator::end_lease(const checkpoint::LeaseKey& lease) {
  std::size_t table = table_of(lease);
  outside_.trace.note("replicator {}/{} ships {}/{} no more", source_, luck_, table,
                      lease.shard.value);
  std::vector<checkpoint::Checkpoint> reached;
  for (std::size_t sink = 0; sink < outside_.nodes.size(); ++sink) {
    FlowKey flow{table, lease.shard.value, sink};
    auto driver = drivers_.find(flow);
    if (driver == drivers_.end()) continue;
    driver->second->stop();
    shipped_before_ += driver->second->pump().records_shipped();
    drivers_.erase(driver);
    if (auto at = acknowledged_.find(flow); at != acknowledged_.end())
      reached.push_back(
          {checkpoint_key(flow), at->second.position, outside_.queue.now_ms(), 0});
    acknowledged_.erase(flow);
    unsaved_.erase(flow);
  }
  tokens_.erase(lease);
  outside_.shippers.erase({source_, table, lease.shard.value});
  return reached;
}

// Whoever does not hold the lease saves nothing; whoever does is refused nothing.
void SimReplicator::check_saved(const std::vector<checkpoint::Checkpoint>& saves,
                                const std::vector<checkpoint::Checkpoint>& refused) {
  auto rows = lease_store_->load();
  for (const auto& save : saves) {
    bool holds = std::any_of(rows.begin(), rows.end(), [&save](const checkpoint::Lease& row) {
      return row.key == checkpoint::LeaseKey{save.key.table, save.key.shard} &&
             row.token == save.token;
    });
    bool taken = std::find(refused.begin(), refused.end(), save) == refused.end();
    if (taken && !holds)
      outside_.findings.add("lease", fmt::format("region {}: a checkpoint is saved by a worker that"
                                                 " does not hold the lease", source_));
  }
}

}  // namespace meridian::sim
