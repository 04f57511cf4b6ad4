#include "tests/sim/sim_heartbeat.h"

#include <map>
#include <set>

namespace meridian::sim {
namespace {

// More often than in production, so that much happens in a short run.
constexpr std::int64_t kBeatUs = 250'000;

}  // namespace

SimHeartbeat::SimHeartbeat(std::size_t source, Outside& outside,
                           std::function<bool(const TableId&)> carries)
    : source_(source), outside_(outside), carries_(std::move(carries)) {}

void SimHeartbeat::start() {
  outside_.queue.after(kBeatUs, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->beat();
    self->start();
  });
}

void SimHeartbeat::beat() {
  if (node().up()) {
    beats_.source_started(node().store().start_id());
    follow();
    take();
  }
  for (std::size_t sink = 0; sink < outside_.nodes.size(); ++sink)
    if (sink != source_) carry(sink);
}

void SimHeartbeat::follow() {
  std::map<TableId, std::set<RegionId>> sinks;
  for (const TableId& id : outside_.tables) {
    auto info = node().store().catalog()->find(id);
    if (!info || !info->has_replica(node().region()) || !carries_(id)) continue;
    for (const auto& peer : info->peers(node().region())) sinks[id].insert(peer);
  }
  beats_.follow(std::move(sinks));
}

void SimHeartbeat::take() {
  auto tables = beats_.wanted();
  if (tables.empty()) return;
  node().barrier(tables, [weak = weak_from_this(), tables](const rpc::Barrier& barrier) {
    auto self = weak.lock();
    if (self) self->beats_.on_barrier(barrier, tables);
  });
}

void SimHeartbeat::carry(std::size_t sink) {
  RegionId to = outside_.nodes[sink]->region();
  auto offered = beats_.offer(to);
  if (offered.empty()) return;
  // What is on the wire arrives whether or not its sender still lives.
  outside_.network.send(source_, sink, [weak = weak_from_this(), outside = &outside_, offered,
                                        source = source_, sink, to,
                                        own = outside_.node_ids[source_]] {
    SimNode& node = *outside->nodes[sink];
    if (!node.up() || outside->node_ids[source] != own) return;
    auto answer = [weak, outside, offered, source, sink, to](const store::Reached& reached) {
      outside->watermarks_moved(sink);
      outside->network.send(sink, source, [weak, offered, to, reached] {
        auto self = weak.lock();
        if (self) self->beats_.on_reached(to, offered, reached);
      });
    };
    node.advance(outside->nodes[source]->region(), own, offered, std::move(answer));
  });
}

}  // namespace meridian::sim
