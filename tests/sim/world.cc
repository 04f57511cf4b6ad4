#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace meridian::sim {
namespace {

constexpr std::int64_t kWatchEveryUs = 300'000;
constexpr std::int64_t kRestStepMs = 250;
constexpr std::int64_t kSilenceMs = 3'000;
// Time for the slowest back-off, deadline and idle advance to pass a few times over.
constexpr std::int64_t kRestMs = 30'000;

constexpr const char* kNames[] = {"us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1",
                                  "af-south-1"};

}  // namespace

World::World(const Shape& shape, std::ostream* trace_out)
    : shape_(shape),
      rng_(shape.seed),
      trace_(queue_, trace_out),
      network_(queue_, trace_, Rng(rng_.next()), shape.regions.size()),
      outside_{shape_, queue_, network_, trace_, findings_, nodes_, {}, {rng_.next(), rng_.next()}},
      history_(shape.load.keys),
      judge_(outside_, history_, Rng(rng_.next())) {
  for (std::size_t i = 0; i < shape_.regions.size(); ++i) {
    const RegionShape& region = shape_.regions[i];
    clocks_.push_back(
        std::make_unique<SimClock>(queue_, region.clock_offset_us, region.clock_drift_ppm));
    nodes_.push_back(std::make_unique<SimNode>(i, RegionId::of(kNames[i]), shape_, queue_,
                                               *clocks_[i], trace_, Rng(rng_.next())));
    for (std::size_t to = 0; to < shape_.regions.size(); ++to)
      network_.shape(i, to, shape_.links[i * shape_.regions.size() + to]);
  }
  start();
}

World::~World() = default;

void World::start() {
  store::TableSpec spec;
  spec.id = outside_.table;
  spec.name = "Orders";
  spec.keys = sim_schema();
  spec.created_ms = SimClock::kEpochUs / 1000;
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  for (auto& node : nodes_)
    spec.replicas[node->region()] = {true, {conflict::Hlc{1}, nodes_[0]->region()}};
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i]->start();
    spec.shards = shape_.regions[i].shards;
    nodes_[i]->create_table(spec);
    outside_.node_ids.push_back(nodes_[i]->node_id());
    watches_.emplace_back(i, outside_, Rng(rng_.next()));
  }
  workload_ = std::make_unique<Workload>(outside_, history_, clocks_, Rng(rng_.next()));
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    replicators_.push_back(std::make_unique<SimReplicator>(i, outside_, Rng(rng_.next())));
  faults_ = std::make_unique<Faults>(
      outside_, clocks_, replicators_, [this](std::size_t region) { node_started(region); },
      Rng(rng_.next()));
  for (auto& replicator : replicators_) replicator->start();
}

void World::node_started(std::size_t region) {
  for (std::size_t source = 0; source < nodes_.size(); ++source)
    if (source != region) judge_.positions(source, region);
}

void World::watch() {
  if (!watching_) return;
  for (auto& stream : watches_) stream.poll();
  std::size_t source = rng_.below(nodes_.size());
  std::size_t sink = rng_.below(nodes_.size());
  bool steady = shape_.faults.clock_steps == 0 && !shape_.faults.reboots;
  if (source != sink) judge_.backlog(source, sink, steady ? clocks_[source].get() : nullptr);
  queue_.after(kWatchEveryUs, [this] { watch(); });
}

void World::run() {
  storm();
  calm();
  judge();
}

void World::storm() {
  std::int64_t until_us = queue_.now_us() + shape_.storm_ms * 1000;
  workload_->start(until_us);
  faults_->plan(until_us);
  watching_ = true;
  watch();
  queue_.run_until(until_us);
  watching_ = false;
}

void World::run_for(std::int64_t ms) { queue_.run_until(queue_.now_us() + ms * 1000); }

bool World::at_rest() {
  for (std::size_t source = 0; source < nodes_.size(); ++source) {
    for (std::uint16_t shard = 0; shard < shape_.regions[source].shards; ++shard) {
      store::Reader& from = nodes_[source]->reader();
      Sequence end = from.shard_span(outside_.table, ShardId(shard)).end;
      for (std::size_t sink = 0; sink < nodes_.size(); ++sink) {
        if (sink == source) continue;
        rpc::FlowId flow{outside_.table, ShardId(shard), nodes_[source]->region()};
        if (nodes_[sink]->reader().flow_position(flow).sequence != end) return false;
        auto backlog = from.backlog(outside_.table, ShardId(shard), nodes_[sink]->region());
        if (backlog.pending_records != 0 || backlog.oldest_us) return false;
      }
    }
  }
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
  return kRestMs + trips * (slowest_us / 1000 + 1);
}

void World::calm() {
  faults_->heal();
  for (unsigned i = 0; i < shape_.faults.aftershocks; ++i) {
    run_for(rng_.between(10, 800));
    faults_->aftershock();
  }
  run_for(kRestStepMs);
  // A node whose clock was put right in one great step asks its operator.
  for (auto& node : nodes_)
    if (node->store().health().clock_stepped) node->store().accept_clock();
  workload_->give_up_waiting();
  // What was written with a clock far ahead is held until true time gets there.
  std::int64_t furthest_ms = 0;
  for (std::size_t region = 0; region < nodes_.size(); ++region)
    for (const auto& row : judge_.rows(region))
      furthest_ms = std::max(furthest_ms, row.version.hlc.physical_ms());
  std::int64_t ahead_ms = furthest_ms - (SimClock::kEpochUs / 1000 + queue_.now_ms());
  trace_.note("calm, newest version ahead {} ms", ahead_ms);
  if (!wait_for_rest(rest_bound_ms() + std::max<std::int64_t>(ahead_ms, 0))) return say_stuck();
  trace_.note("at rest");
  check_silence();
}

void World::say_stuck() {
  stuck_ = true;
  findings_.add("live", fmt::format("no rest {} ms after everything was mended", rest_bound_ms()));
  for (std::size_t source = 0; source < nodes_.size(); ++source)
    for (const auto& state : replicators_[source]->states())
      if (state.find("waiting") == std::string::npos) findings_.add("live", state);
  for (auto& node : nodes_) {
    auto health = node->store().health();
    if (!health.accepts_writes) findings_.add("live", "node refuses writes: " + health.reason);
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
      ends.push_back(nodes_[i]->reader().shard_span(outside_.table, ShardId(shard)).end.value);
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
  judge_.convergence();
  judge_.logs();
  judge_.streams(watches_);
  for (std::size_t source = 0; source < nodes_.size(); ++source)
    for (std::size_t sink = 0; sink < nodes_.size(); ++sink)
      if (source != sink) judge_.positions(source, sink);
  for (std::size_t region = 0; region < nodes_.size(); ++region) judge_.reads(region);
  for (auto& node : nodes_)
    if (node->store().health().records_forked > 0)
      findings_.add("P7", "a version came twice with two images");
  judge_.replay(queue_, *clocks_[0]);
}

}  // namespace meridian::sim
