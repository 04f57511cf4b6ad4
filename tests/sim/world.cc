#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "conflict/clock_guard.h"
#include "conflict/hlc.h"

namespace meridian::sim {
namespace {

constexpr std::int64_t kWatchEveryUs = 300'000;
constexpr std::int64_t kJoinAgainUs = 150'000;
constexpr std::int64_t kSilenceMs = 3'000;

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
    nodes_[i]->on_committed([this, i] {
      lineages_.poll(i);
      check_lost_log(i);
    });
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
  SimNode& node = *nodes_[region];
  for (const TableId& table : outside_.tables)
    if (auto life = node.life_of(table, node.region()))
      outside_.forgotten_lives[{node.region(), table}] = *life;
  lineages_.region_forgot(region);
  workload_->region_forgot(region);
  drains_->region_forgot(region);
  for (auto& copier : copiers_) copier->region_forgot(region);
  control_->forget(region);
  for (auto& judge : judges_) judge.region_forgot(region);
  for (std::size_t table = 0; table < shape_.tables; ++table)
    watches_[table * nodes_.size() + region] =
        std::make_unique<StreamWatch>(region, table, outside_);
}

// A region that has lost nothing takes no log of its own for lost; one that has, and begins another life
// with its rows, is to be told by everybody.
void World::check_lost_log(std::size_t region) {
  const RegionId self = nodes_[region]->region();
  for (const TableId& id : outside_.tables) {
    auto table = nodes_[region]->store().catalog()->find(id);
    if (!table || !table->has_replica(self)) continue;
    if (table->frozen() && !outside_.forgot(region))
      findings_.add(
          "P15", fmt::format("region {} takes its log for lost, and has all of it", region));
    const conflict::Version& life = table->replicas.at(self).joined;
    bool begun = life > std::exchange(lives_.try_emplace({region, id}, life).first->second, life);
    if (!begun || table->is_copying(self) || !outside_.forgot(region)) continue;
    for (const auto& peer : table->peers(self)) {
      auto mark = table->repairs.find(peer);
      if (mark == table->repairs.end() || !mark->second.frozen)
        findings_.add("P15", fmt::format("region {} begins another life, and waits not for {}",
                                         region, peer.name()));
    }
  }
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
