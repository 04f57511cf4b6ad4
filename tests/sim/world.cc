#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "conflict/clock_guard.h"
#include "conflict/hlc.h"

namespace meridian::sim {
namespace {

constexpr std::int64_t kWatchEveryUs = 300'000;
constexpr std::int64_t kRestStepMs = 250;
constexpr std::int64_t kJoinAgainUs = 150'000;
constexpr std::int64_t kSilenceMs = 3'000;
// Time for the slowest back-off, deadline and idle advance to pass a few times over.
constexpr std::int64_t kRestMs = 30'000;

constexpr const char* kNames[] = {"us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1",
                                  "af-south-1"};

}  // namespace

World::World(const Shape& shape, std::ostream* trace_out)
    : World(Script{shape, plan_events(shape)}, trace_out) {}

World::World(Script script, std::ostream* trace_out)
    : shape_(std::move(script.shape)),
      events_(std::move(script.events)),
      trace_(queue_, trace_out),
      network_(queue_, trace_, shape_.seed, shape_.regions.size()),
      outside_{shape_, queue_, network_, trace_, findings_, nodes_, {}, {},
               [this](std::size_t region) {
                 for (auto& judge : judges_) judge.watermarks(region);
               },
               {}, {}, false},
      history_(shape_.load.keys),
      lineages_(outside_, history_) {
  for (std::size_t i = 0; i < shape_.regions.size(); ++i) {
    const RegionShape& region = shape_.regions[i];
    clocks_.push_back(
        std::make_unique<SimClock>(queue_, region.clock_offset_us, region.clock_drift_ppm));
    nodes_.push_back(std::make_unique<SimNode>(i, RegionId::of(kNames[i]), shape_, queue_,
                                               *clocks_[i], trace_));
    replicator_disks_.push_back(
        std::make_unique<SimDisk>(derived(shape_.seed, Luck::disk, {i, 1}).next()));
    for (std::size_t to = 0; to < shape_.regions.size(); ++to)
      network_.shape(i, to, shape_.links[i * shape_.regions.size() + to]);
  }
  start();
}

World::~World() = default;

void World::start() {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    nodes_[i]->on_committed([this, i] { lineages_.poll(i); });
  for (auto& node : nodes_) {
    node->start();
    outside_.node_ids.push_back(node->node_id());
  }
  if (std::any_of(events_.begin(), events_.end(), [](const Event& event) {
        return event.kind == EventKind::lose_store || event.kind == EventKind::restore_store;
      }))
    introduce_everybody();
  create_tables();
  workload_ = std::make_unique<Workload>(outside_, history_, clocks_);
  drains_ = std::make_unique<Drains>(outside_, history_);
  control_ = std::make_unique<ControlSteps>(outside_);
  for (std::uint64_t worker = 0; worker < shape_.workers; ++worker)
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      replicators_.push_back(std::make_unique<SimReplicator>(
          i, outside_, *replicator_disks_[i], worker, SimReplicator::Leases::shared));
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    repairers_.push_back(std::make_unique<SimRepairer>(i, outside_, repairers_));
  faults_ = std::make_unique<Faults>(outside_, clocks_, replicators_, replicator_disks_,
                                     [this](std::size_t region) { node_started(region); },
                                     [this](std::size_t region) { region_forgot(region); });
  faults_->begin();
  for (auto& replicator : replicators_) replicator->start();
  for (auto& repairer : repairers_) repairer->start();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    collectors_.push_back(std::make_unique<SimCollector>(
        i, outside_, *repairers_[i],
        [this, i](std::size_t table) { judges_[table].collections(i); }));
    collectors_.back()->start();
    copiers_.push_back(std::make_unique<SimCopier>(i, outside_));
    copiers_.back()->start();
  }
}

// As connections do.  (Else the first batch of a flow pins its source.)
void World::introduce_everybody() {
  for (auto& node : nodes_)
    for (std::size_t peer = 0; peer < nodes_.size(); ++peer)
      node->store().pin_identity(nodes_[peer]->region(), outside_.node_ids[peer], {});
}

store::TableSpec World::table_spec(std::uint64_t table) const {
  Rng rng = derived(shape_.seed, Luck::store, {table});
  store::TableSpec spec;
  spec.id = TableId{rng.next(), rng.next()};
  spec.name = fmt::format("Orders{}", table);
  spec.keys = sim_schema();
  spec.created_ms = SimClock::kEpochUs / 1000;
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  for (std::size_t i = 0; i + shape_.joins < nodes_.size(); ++i)
    spec.replicas[nodes_[i]->region()] = {true, {conflict::Hlc{1}, nodes_[0]->region()}};
  return spec;
}

void World::create_tables() {
  for (std::uint64_t table = 0; table < shape_.tables; ++table) {
    auto spec = table_spec(table);
    outside_.tables.push_back(*spec.id);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      spec.shards = shape_.regions[i].shards;
      if (i + shape_.joins < nodes_.size()) nodes_[i]->create_table(spec);
      watches_.push_back(std::make_unique<StreamWatch>(i, table, outside_));
    }
    judges_.emplace_back(table, outside_, history_, lineages_);
  }
}

// Whether another region knows that this one has, or had, a replica.
bool World::is_known(std::size_t region, const TableId& id) const {
  return std::ranges::any_of(nodes_, [&](const auto& other) {
    if (other == nodes_[region] || !other->up()) return false;
    auto table = other->store().catalog()->find(id);
    return table && table->has_replica(nodes_[region]->region());
  });
}

// As an operator who repeats it until it is done.  (One that was and has lost it is given it by the others,
// if it could tell one of them before.)
void World::join(std::size_t region) {
  if (region >= nodes_.size()) return;
  bool lost = outside_.forgot(region);
  bool ready = lost ? std::ranges::all_of(nodes_, [](const auto& node) { return node->up(); })
                    : nodes_[region]->up();
  bool done = ready;
  for (std::uint64_t table = 0; ready && table < shape_.tables; ++table) {
    const TableId& id = outside_.tables[table];
    if (nodes_[region]->store().catalog()->find(id) || (lost && is_known(region, id))) continue;
    done = false;
    auto spec = table_spec(table);
    spec.shards = shape_.regions[region].shards;
    spec.copy_from_others = true;
    copiers_[region]->join(std::move(spec));
  }
  if (!done) queue_.after(kJoinAgainUs, [this, region] { join(region); });
}

void World::node_started(std::size_t region) {
  check_clock(region);
  drains_->check_kept(region);
  for (auto& judge : judges_) judge.watermarks(region);
  for (std::size_t source = 0; source < nodes_.size(); ++source)
    for (auto& judge : judges_)
      if (source != region) judge.positions(source, region);
}

// What it said, showed and streamed before binds it no more; streams begin anew, as another's would.
void World::region_forgot(std::size_t region) {
  lineages_.region_forgot(region);
  workload_->region_forgot(region);
  drains_->region_forgot(region);
  control_->forget(region);
  for (auto& judge : judges_) judge.region_forgot(region);
  for (std::size_t table = 0; table < shape_.tables; ++table)
    watches_[table * nodes_.size() + region] =
        std::make_unique<StreamWatch>(region, table, outside_);
}

// A clock that has fallen behind what was minted before is not taken without an operator's word.  A node
// knows what it minted by its stored ceiling, to a step: it refuses for certain only beyond that.
void World::check_clock(std::size_t region) {
  std::int64_t newest_ms = 0;
  for (const Write& write : history_.writes())
    if (write.region == region && write.state == WriteState::acknowledged && !write.origin_forgot)
      newest_ms = std::max(newest_ms, write.version.hlc.physical_ms());
  std::int64_t behind_ms = newest_ms - clocks_[region]->wall_ms();
  constexpr std::int64_t kCertainMs =
      conflict::ClockGuard::kDriftMaxMsDefault + conflict::HybridClock::kCeilingStepMs;
  if (behind_ms > kCertainMs && !nodes_[region]->told_clock())
    findings_.add("clock", fmt::format("region {} starts though its clock is {} ms behind", region,
                                       behind_ms));
}

void World::watch() {
  if (!watching_) return;
  for (auto& stream : watches_) stream->poll();
  Rng rng = derived(shape_.seed, Luck::watch, {luck_of(queue_.now_us())});
  std::size_t source = rng.below(nodes_.size());
  std::size_t sink = rng.below(nodes_.size());
  Judge& judge = judges_[rng.below(judges_.size())];
  if (source != sink) {
    judge.backlog(source, sink, steady_ ? clocks_[source].get() : nullptr);
    judge.positions(source, sink);
  }
  queue_.after(kWatchEveryUs, [this] { watch(); });
}

void World::run() {
  storm();
  calm();
  judge();
}

void World::run(const Event& event) {
  if (event.is_write()) return workload_->run(event);
  if (event.kind == EventKind::join) return join(event.region());
  if (event.kind == EventKind::drain)
    return drains_->ask(event.region(), static_cast<std::size_t>(event.args[1]), event.args[2]);
  if (event.kind != EventKind::control) return faults_->run(event);
  if (event.region() < nodes_.size())
    control_->run(event.region(), static_cast<ControlStep>(event.args[1]));
}

void World::storm() {
  std::int64_t begin_us = queue_.now_us();
  steady_ = std::none_of(events_.begin(), events_.end(), [](const Event& event) {
    return event.kind == EventKind::step_clock || event.kind == EventKind::reboot;
  });
  for (const Event& event : events_)
    queue_.at(begin_us + event.at_us, [this, &event] { run(event); });
  watching_ = true;
  watch();
  queue_.run_until(begin_us + shape_.storm_ms * 1000);
  watching_ = false;
}

void World::run_for(std::int64_t ms) { queue_.run_until(queue_.now_us() + ms * 1000); }

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

std::uint64_t World::shipped() const {
  std::uint64_t count = 0;
  for (const auto& replicator : replicators_) count += replicator->records_shipped();
  return count;
}

std::vector<std::uint64_t> World::log_ends() {
  std::vector<std::uint64_t> ends;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    for (std::uint16_t shard = 0; shard < shape_.regions[i].shards; ++shard)
      for (const TableId& table : outside_.tables)
        ends.push_back(nodes_[i]->reader().shard_span(table, ShardId(shard)).end.value);
  return ends;
}

void World::check_silence() {
  auto shipped_before = shipped();
  auto ends_before = log_ends();
  run_for(kSilenceMs);
  if (shipped() != shipped_before)
    findings_.add(
        "P10", fmt::format("{} records shipped while nobody writes", shipped() - shipped_before));
  if (log_ends() != ends_before) findings_.add("P10", "logs grow while nobody writes");
}

void World::judge() {
  if (stuck_) return;  // what is not there yet is not lost
  for (auto& watch : watches_)
    for (auto& judge : judges_)
      if (judge.table() == watch->table()) judge.stream(*watch);
  for (auto& judge : judges_) {
    judge.convergence();
    judge.logs();
    judge.ledger();
    for (std::size_t source = 0; source < nodes_.size(); ++source)
      for (std::size_t sink = 0; sink < nodes_.size(); ++sink)
        if (source != sink) judge.positions(source, sink);
    for (std::size_t region = 0; region < nodes_.size(); ++region) judge.reads(region);
    judge.all_watermarks();
  }
  for (std::size_t region = 0; region < nodes_.size(); ++region) drains_->check_kept(region);
  control_->judge();
  for (std::size_t region = 0; region < nodes_.size(); ++region) judge_file(region);
  if (!outside_.forgetful.empty()) return;  // logs that are gone say nothing
  for (auto& judge : judges_) judge.replay(queue_, *clocks_[0]);
}

std::vector<store::Row> World::rows(std::size_t region) const {
  std::vector<store::Row> all;
  for (const auto& judge : judges_)
    for (auto& row : judge.rows(region)) all.push_back(std::move(row));
  return all;
}

std::size_t World::losers() const {
  std::size_t count = 0;
  for (const auto& judge : judges_) count += judge.losers();
  return count;
}

void World::judge_file(std::size_t region) {
  if (nodes_[region]->store().health().records_forked > 0)
    findings_.add("P7", "a version came twice with two images");
  for (const auto& problem : nodes_[region]->invariants())
    findings_.add("file", fmt::format("region {}: {}", region, problem));
}

}  // namespace meridian::sim
