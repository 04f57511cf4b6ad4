#include "replicator/core/heartbeats.h"

#include <algorithm>

namespace meridian::replicator {
namespace {

// Visits every entry once, beginning after `after`, until `visit` answers false.
template <typename Map, typename Visit>
void visit_in_turn(const Map& map, const std::optional<TableId>& after, Visit visit) {
  auto at = after ? map.upper_bound(*after) : map.begin();
  for (std::size_t i = 0; i < map.size(); ++i, ++at) {
    if (at == map.end()) at = map.begin();
    if (!visit(at->first, at->second)) return;
  }
}

}  // namespace

void Heartbeats::follow(std::map<TableId, std::set<RegionId>> sinks) {
  sinks_ = std::move(sinks);
  for (auto& [sink, queue] : queues_)
    std::erase_if(queue.waiting, [this, &sink = sink](const auto& each) {
      auto at = sinks_.find(each.first);
      return at == sinks_.end() || at->second.count(sink) == 0;
    });
}

void Heartbeats::source_started(StartId start) {
  if (start == start_) return;
  start_ = start;
  queues_.clear();
}

std::vector<TableId> Heartbeats::wanted() {
  std::vector<TableId> out;
  visit_in_turn(sinks_, wanted_to_, [&](const TableId& table, const std::set<RegionId>& sinks) {
    bool idle = std::any_of(sinks.begin(), sinks.end(), [&](const RegionId& sink) {
      return queues_[sink].waiting.count(table) == 0;
    });
    if (idle) out.push_back(table);
    return out.size() < rpc::kBarrierTablesMax;
  });
  if (!out.empty()) wanted_to_ = out.back();
  return out;
}

void Heartbeats::on_barrier(const rpc::Barrier& barrier) {
  if (barrier.start != start_) return;  // of a run that is over, or not yet known of
  for (const auto& ends : barrier.tables) {
    auto at = sinks_.find(ends.table);
    if (at == sinks_.end()) continue;
    for (const auto& sink : at->second)
      queues_[sink].waiting.try_emplace(ends.table, Waiting{barrier.time, ends.ends});
  }
}

std::vector<rpc::Barrier> Heartbeats::offer(const RegionId& sink) {
  std::vector<rpc::Barrier> out;
  Queue& queue = queues_[sink];
  std::size_t tables = 0;
  std::optional<TableId> last;
  auto add = [&](const TableId& table, const Waiting& waiting) {
    auto same = std::find_if(out.begin(), out.end(), [&waiting](const auto& barrier) {
      return barrier.time == waiting.time;
    });
    if (same == out.end()) {
      if (out.size() == rpc::kBarriersMax) return false;
      same = out.insert(out.end(), rpc::Barrier{start_, waiting.time, {}});
    }
    same->tables.push_back({table, waiting.ends});
    last = table;
    return ++tables < rpc::kBarrierTablesMax;
  };
  visit_in_turn(queue.waiting, queue.offered_to, add);
  if (last) queue.offered_to = last;
  return out;
}

void Heartbeats::on_reached(const RegionId& sink, const std::vector<rpc::Barrier>& offered,
                            const std::vector<std::vector<TableId>>& reached) {
  auto queue = queues_.find(sink);
  if (queue == queues_.end()) return;
  for (std::size_t i = 0; i < std::min(offered.size(), reached.size()); ++i) {
    if (offered[i].start != start_) continue;
    for (const auto& table : reached[i]) {
      auto at = queue->second.waiting.find(table);
      if (at != queue->second.waiting.end() && at->second.time == offered[i].time)
        queue->second.waiting.erase(at);
    }
  }
}

}  // namespace meridian::replicator
