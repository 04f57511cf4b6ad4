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
    bool wants = std::any_of(sinks.begin(), sinks.end(), [&](const RegionId& sink) {
      const auto& waiting = queues_[sink].waiting;
      auto at = waiting.find(table);
      return at == waiting.end() || at->second.refused >= kRefusalsMax;
    });
    if (wants) out.push_back(table);
    return out.size() < rpc::kBarrierTablesMax;
  });
  if (!out.empty()) wanted_to_ = out.back();
  return out;
}

void Heartbeats::on_barrier(const rpc::Barrier& barrier, const std::vector<TableId>& asked) {
  if (barrier.start != start_) return;  // of a run that is over, or not yet known of
  std::set<TableId> left_out(asked.begin(), asked.end());
  for (const auto& ends : barrier.tables) {
    left_out.erase(ends.table);
    auto at = sinks_.find(ends.table);
    if (at == sinks_.end()) continue;
    for (const auto& sink : at->second) take(queues_[sink], ends.table, {barrier.time, ends.ends});
  }
  // What waits was taken before the source learned that it has lost some of its past.
  for (auto& [sink, queue] : queues_)
    for (const TableId& table : left_out) queue.waiting.erase(table);
}

// A flow that comes to where the log ends now comes past where it ended then, unless the log is another.
void Heartbeats::take(Queue& queue, const TableId& table, Waiting fresh) const {
  auto [at, idle] = queue.waiting.try_emplace(table, fresh);
  if (idle) return;
  Waiting& waiting = at->second;
  waiting.refused = 0;
  bool on_the_way = std::equal(waiting.ends.begin(), waiting.ends.end(), fresh.ends.begin(),
                               fresh.ends.end(), [this](const auto& then, const auto& now) {
                                 return rpc::reaches(now, then, start_);
                               });
  if (!on_the_way) waiting = std::move(fresh);
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
    for (const auto& ends : offered[i].tables) {
      auto at = queue->second.waiting.find(ends.table);
      if (at == queue->second.waiting.end() || at->second.time != offered[i].time) continue;
      if (std::find(reached[i].begin(), reached[i].end(), ends.table) != reached[i].end()) {
        queue->second.waiting.erase(at);
      } else {
        ++at->second.refused;
      }
    }
  }
}

}  // namespace meridian::replicator
