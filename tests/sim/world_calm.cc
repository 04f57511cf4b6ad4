// The part of the World that brings everything to rest after a storm, and says what does not come to it.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/sim/world.h"

namespace meridian::sim {
namespace {

constexpr std::int64_t kRestStepMs = 250;
// Time for the slowest back-off, deadline and idle advance to pass a few times over.
constexpr std::int64_t kRestMs = 30'000;

}  // namespace

bool World::flow_at_rest(std::size_t source, std::size_t sink, const TableId& table,
                         ShardId shard) {
  store::Reader& from = nodes_[source]->reader();
  rpc::FlowId flow{table, shard, nodes_[source]->region()};
  if (nodes_[sink]->reader().flow_position(flow).sequence != from.shard_span(table, shard).end)
    return false;
  auto backlog = from.backlog(table, shard, nodes_[sink]->region());
  return backlog.pending_records == 0 && !backlog.oldest_us;
}

// Everybody holds the tables, whole, and knows it of everybody.
bool World::memberships_agree() const {
  for (const TableId& id : outside_.tables) {
    auto first = nodes_[0]->store().catalog()->find(id);
    for (const auto& node : nodes_) {
      auto table = node->store().catalog()->find(id);
      if (!table || !table->is_whole(node->region()) || table->replicas != first->replicas)
        return false;
    }
  }
  return true;
}

bool World::at_rest() {
  for (auto& repairer : repairers_)
    if (!repairer->idle()) return false;
  if (!memberships_agree()) return false;
  for (auto& node : nodes_)
    if (node->has_open_writes()) return false;
  for (const TableId& table : outside_.tables)
    for (std::size_t source = 0; source < nodes_.size(); ++source)
      for (std::uint16_t shard = 0; shard < shape_.regions[source].shards; ++shard)
        for (std::size_t sink = 0; sink < nodes_.size(); ++sink)
          if (sink != source && !flow_at_rest(source, sink, table, ShardId(shard))) return false;
  return true;
}

bool World::wait_for_rest(std::int64_t bound_ms) {
  std::int64_t until = queue_.now_ms() + bound_ms;
  while (!at_rest()) {
    if (queue_.now_ms() >= until) return false;
    run_for(kRestStepMs);
  }
  return true;
}

// A flow may carry as little as a record in each round trip; that long the whole load may take.
std::int64_t World::rest_bound_ms() const {
  std::int64_t slowest_us = 0;
  for (const auto& link : shape_.links)
    slowest_us = std::max(slowest_us, 2 * (link.delay_us + link.jitter_us));
  bool small = shape_.pump.batch_bytes_max < 1'024 || shape_.pump.window_bytes_max < 4'096;
  std::size_t records = small ? 1 : shape_.pump.batch_records_max * shape_.pump.window_batches_max;
  auto trips = static_cast<std::int64_t>(history_.writes().size() / records);
  // A replica may be filled by one row in each round trip, and once more if its seed was repaired meanwhile.
  bool fills = shape_.joins > 0 || !outside_.forgetful.empty();
  if (fills) trips += 2 * static_cast<std::int64_t>(history_.keys());
  return kRestMs + trips * (slowest_us / 1000 + 1);
}

void World::calm() {
  faults_->heal();
  if (shape_.joins > 0) join(nodes_.size() - 1);  // if nobody has yet
  // Aftershocks, if any are left.
  if (!events_.empty())
    queue_.run_until(std::max(queue_.now_us(), events_.back().at_us));
  run_for(kRestStepMs);
  // A node whose clock was put right in one great step asks its operator.
  for (auto& node : nodes_)
    if (node->store().health().clock_stepped) node->store().accept_clock();
  workload_->give_up_waiting();
  // What was written with a clock far ahead is held until true time gets there.
  std::int64_t furthest_ms = 0;
  for (std::size_t region = 0; region < nodes_.size(); ++region)
    for (const auto& judge : judges_)
      for (const auto& row : judge.rows(region))
        furthest_ms = std::max(furthest_ms, row.version.hlc.physical_ms());
  std::int64_t ahead_ms = furthest_ms - (SimClock::kEpochUs / 1000 + queue_.now_ms());
  trace_.note("calm, newest version ahead {} ms", ahead_ms);
  if (!wait_for_rest(rest_bound_ms() + std::max<std::int64_t>(ahead_ms, 0))) return say_stuck();
  trace_.note("at rest");
  if (!settle_quarantine()) return;
  drain_everything();
  watermarks_move_on();
  check_silence();
}

// Whatever has happened, everybody confirms everything to everybody.
void World::drain_everything() {
  for (std::size_t from = 0; from < nodes_.size(); ++from) {
    for (std::size_t to = 0; to < nodes_.size(); ++to) {
      drains_->ask(from, to, kRestMs * 1000, [this, from, to](bool yes) {
        if (!yes)
          findings_.add("live", fmt::format("{} ms after all is at rest, region {} does not say "
                                            "that it has what region {} had",
                                            kRestMs, to, from));
      });
    }
  }
  std::int64_t until = queue_.now_ms() + kRestMs + kRestStepMs;
  while (drains_->open() > 0 && queue_.now_ms() < until) run_for(kRestStepMs);
}

// And heartbeats go on, of every origin in every region.
void World::watermarks_move_on() {
  struct Mark {
    std::size_t at;
    TableId table;
    std::size_t origin;
    conflict::Hlc before;
  };
  auto now = [this](std::size_t at, const TableId& table, std::size_t origin) {
    auto all = nodes_[at]->reader().watermarks(table);
    auto found = all.find(nodes_[origin]->region());
    return found == all.end() ? conflict::Hlc{} : found->second;
  };
  std::vector<Mark> still;
  for (std::size_t at = 0; at < nodes_.size(); ++at)
    for (const TableId& table : outside_.tables)
      for (std::size_t origin = 0; origin < nodes_.size(); ++origin)
        still.push_back({at, table, origin, now(at, table, origin)});
  std::int64_t until = queue_.now_ms() + kRestMs;
  auto moved = [&now](const Mark& mark) {
    return mark.before < now(mark.at, mark.table, mark.origin);
  };
  for (; !still.empty() && queue_.now_ms() < until; std::erase_if(still, moved))
    run_for(kRestStepMs);
  for (const auto& mark : still)
    findings_.add("live",
                  fmt::format("in region {} the watermark of region {} stands still at {:x}",
                              mark.at, mark.origin, mark.before.value));
}

// What no other region can apply is written again by its users.
bool World::settle_quarantine() {
  constexpr int kRounds = 5;
  for (auto& judge : judges_) judge.quarantine();
  for (int round = 0; round < kRounds; ++round) {
    std::map<std::uint32_t, std::size_t> keys;
    for (const auto& judge : judges_) keys.merge(judge.waiting_keys());
    if (keys.empty()) return true;
    for (const auto& [key, region] : keys) workload_->write(region, key, WriteKind::put);
    run_for(kRestStepMs);
    if (!wait_for_rest(rest_bound_ms())) {
      say_stuck();
      return false;
    }
  }
  findings_.add("P17", "a newer version does not empty the quarantine");
  return true;
}

void World::say_stuck() {
  stuck_ = true;
  findings_.add("live", fmt::format("no rest {} ms after everything was mended", rest_bound_ms()));
  for (const auto& replicator : replicators_)
    for (const auto& state : replicator->states())
      if (state.find("waiting") == std::string::npos) findings_.add("live", state);
  if (!memberships_agree()) findings_.add("live", "a replica is not whole, or not known to be");
  say_unfinished();
  say_unrepaired();
  for (auto& node : nodes_) {
    auto health = node->store().health();
    if (!health.accepts_writes) findings_.add("live", "node refuses writes: " + health.reason);
  }
}

void World::say_unfinished() {
  for (std::size_t table = 0; table < outside_.tables.size(); ++table)
    for (std::size_t from = 0; from < nodes_.size(); ++from)
      for (std::uint16_t shard = 0; shard < shape_.regions[from].shards; ++shard)
        for (std::size_t to = 0; to < nodes_.size(); ++to) {
          const TableId& id = outside_.tables[table];
          if (from == to || flow_at_rest(from, to, id, ShardId(shard))) continue;
          rpc::FlowId flow{id, ShardId(shard), nodes_[from]->region()};
          store::Reader& source = nodes_[from]->reader();
          auto end = source.shard_span(id, ShardId(shard)).end;
          auto backlog = source.backlog(id, ShardId(shard), nodes_[to]->region());
          auto stands = nodes_[to]->reader().flow_position(flow).sequence;
          findings_.add("live", fmt::format("flow {}/{}/{}->{} is at {} of {}, {} pending", from,
                                            table, shard, to, stands.value, end.value,
                                            backlog.pending_records));
        }
}

void World::say_unrepaired() {
  for (std::size_t region = 0; region < nodes_.size(); ++region) {
    for (std::size_t number = 0; number < outside_.tables.size(); ++number) {
      auto table = nodes_[region]->store().catalog()->find(outside_.tables[number]);
      if (!table) continue;
      for (const auto& [peer, mark] : table->repairs)
        findings_.add("live",
                      fmt::format("region {} is to repair table {} with {}: {}", region, number,
                                  peer.name(), store::repair_reason_name(mark.reason)));
      for (const auto& [ended, holders] : table->unsettled)
        for (const auto& holder : holders)
          findings_.add("live",
                        fmt::format("region {} has not settled with {} what {} left of table {}",
                                    region, holder.name(), ended.name(), number));
    }
  }
}

}  // namespace meridian::sim
