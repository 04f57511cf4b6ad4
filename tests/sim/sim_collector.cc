#include "tests/sim/sim_collector.h"

#include <utility>

#include "region-node/store/membership_hash.h"

namespace meridian::sim {
namespace {

constexpr std::int64_t kCollectRoundUs = 350'000;

}  // namespace

SimCollector::SimCollector(std::size_t region, Outside& outside, SimRepairer& repairer,
                           std::function<void(std::size_t)> collected)
    : region_(region),
      outside_(outside),
      repairer_(repairer),
      on_collected_(std::move(collected)) {}

void SimCollector::start() {
  if (!outside_.shape.collects()) return;
  outside_.queue.after(kCollectRoundUs, [this] {
    round();
    start();
  });
}

conflict::ReplicaState SimCollector::state_of(SimNode& node, const store::TableInfo& table) {
  conflict::ReplicaState out;
  out.applied = node.reader().watermarks(table.id);
  out.membership = store::membership_hash(table.replicas);
  for (const auto& [ended, holders] : table.unsettled) out.unsettled.insert(ended);
  return out;
}

void SimCollector::round() {
  if (!node().up()) return;
  if (std::exchange(run_, node().starts()) != node().starts()) told_.clear();
  for (std::size_t table = 0; table < outside_.tables.size(); ++table) {
    const TableId& id = outside_.tables[table];
    auto info = node().store().catalog()->find(id);
    if (!info || !info->has_replica(node().region()) || !info->serves(node().region())) continue;
    if (node().reader().stats(id).tombstones == 0) continue;
    collect(table);
    for (std::size_t peer = 0; peer < outside_.nodes.size(); ++peer)
      if (peer != region_ && info->has_replica(outside_.nodes[peer]->region())) ask(table, peer);
  }
}

void SimCollector::ask(std::size_t table, std::size_t peer) {
  outside_.network.send(region_, peer, [this, table, peer, run = run_] {
    SimNode& other = *outside_.nodes[peer];
    if (!other.up()) return;
    // In this order, as the peer RPC does.
    auto applied = other.reader().watermarks(outside_.tables[table]);
    auto info = other.store().catalog()->find(outside_.tables[table]);
    if (!info) return;
    auto state = state_of(other, *info);
    state.applied = std::move(applied);
    outside_.network.send(peer, region_, [this, table, run, state, name = other.region()] {
      if (node().up() && node().starts() == run) told_[table][name] = state;
    });
  });
}

void SimCollector::collect(std::size_t table) {
  const TableId& id = outside_.tables[table];
  auto info = node().store().catalog()->find(id);
  if (repairer_.mending(table)) return;
  std::set<RegionId> members;
  for (const auto& [region, entry] : info->replicas)
    if (entry.present) members.insert(region);
  Told told = told_[table];
  told[node().region()] = state_of(node(), *info);
  auto membership = store::membership_hash(info->replicas);
  auto found = conflict::stable_horizon(members, membership, told);
  if (found.horizon == conflict::Hlc{}) return;
  using Outcome = std::optional<store::CollectOutcome>;
  auto heard = node().hearing<Outcome>([this, table](const Outcome& outcome) {
    if (!outcome || outcome->collected == 0) return;
    collected_ += outcome->collected;
    outside_.trace.note("region {} collected {} tombstones of table {}", region_,
                        outcome->collected, table);
    on_collected_(table);
  });
  node().store().collect({id, found.horizon, membership}, heard);
  node().commit_soon();
}

}  // namespace meridian::sim
