#include "replicator/flows.h"

#include <algorithm>

#include "rpc/faults/peer_dialer.h"

namespace meridian::replicator {
namespace {

// How bad a state is, for the state of a link of many flows.
int severity(FlowState state) {
  switch (state) {
    case FlowState::stopped: return 0;
    case FlowState::waiting: return 1;
    case FlowState::running: return 2;
    case FlowState::idle: return 3;
    case FlowState::asking: return 4;
    case FlowState::backing_off: return 5;
    case FlowState::held: return 6;
    case FlowState::repair_needed: return 7;
  }
  return 0;
}

// Sums up; what is unknown of one flow is unknown of all.
void add(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& value) {
  if (sum && value) {
    *sum += *value;
  } else {
    sum.reset();
  }
}

void add(Pending& sum, const Pending& value) {
  add(sum.records, value.records);
  add(sum.bytes, value.bytes);
  if (value.oldest_us && (!sum.oldest_us || *value.oldest_us < *sum.oldest_us)) {
    sum.oldest_us = value.oldest_us;
    sum.oldest_ms = value.oldest_ms;
  }
}

std::string state_under(rpc::FaultKind kind) {
  switch (kind) {
    case rpc::FaultKind::cut: return "cut";
    case rpc::FaultKind::pause: return "paused";
    case rpc::FaultKind::limit: return "limited";
    case rpc::FaultKind::lose: return "lossy";
    case rpc::FaultKind::delay: return "delayed";
  }
  return "";
}

PeerStatus peer_status(const RegionId& region, const rpc::LinkFigures& figures) {
  PeerStatus out;
  out.region = region;
  out.connected = figures.connected;
  out.connects = figures.connects;
  out.round_trip_us = figures.round_trip_us;
  out.clock_offset_us = figures.clock_offset_us;
  out.reason = figures.reason;
  out.protocol = figures.protocol;
  out.trouble = figures.trouble;
  return out;
}

}  // namespace

Flows::Flows(World world, const Addresses& peers,
             const std::vector<checkpoint::Checkpoint>& checkpoints)
    : world_(std::move(world)), peers_(peers) {
  for (const auto& checkpoint : checkpoints) known_[checkpoint.key] = checkpoint.position;
}

Flows::~Flows() = default;

void Flows::source_up(const rpc::HelloAnswer& own) {
  if (node_ != own.node) {
    if (node_) world_.log.warn("own_node_changed", "node={:016x}", own.node.value);
    node_ = own.node;
    flows_.clear();
    heartbeat_ = nullptr;
    sinks_.clear();
    heartbeat_ = kj::heap<Heartbeat>(world_.source, world_.timer, world_.log);
    for (const auto& [region, address] : peers_) dial_sink(region, address);
  }
  heartbeat_->source_up(own.start);
  for (auto& [key, flow] : flows_) flow->link_up();
}

// REQUIRES: the own node has answered.
void Flows::dial_sink(const RegionId& region, const std::string& address) {
  rpc::SessionOptions options;
  options.hello = {world_.protocol_max, world_.region, *node_, rpc::Role::peer_replicator};
  options.expected = region;
  options.address = address;
  auto& sink = sinks_[region];
  auto& faults = world_.faults.link(region);
  sink.dialer = rpc::peer_dialer({world_.network, &faults, world_.tls}, region, address);
  sink.session = kj::heap<rpc::Session>(world_.timer, *sink.dialer, world_.clock, world_.rng,
                                        world_.log, std::move(options));
  sink.link.region = region;
  sink.link.session = sink.session.get();
  sink.link.sender = kj::heap<BatchSender>(*sink.session, faults);
  sink.link.faults = &faults;
  sink.session->start([this, region](bool connected) {
    if (connected) sink_up(region);
  });
  heartbeat_->add_sink(region, *sink.session);
}

void Flows::add_peers(const Addresses& peers) {
  for (const auto& [region, address] : peers) {
    auto known = std::find_if(peers_.begin(), peers_.end(),
                              [&](const auto& each) { return each.first == region; });
    if (known != peers_.end()) {
      if (known->second != address)
        world_.log.warn("peer_not_changed", "region={} address={} reason=\"it takes a restart\"",
                        region.name(), known->second);
      continue;
    }
    world_.log.info("peer_added", "region={} address={}", region.name(), address);
    peers_.emplace_back(region, address);
    unknown_sinks_.erase(region);
    if (node_) dial_sink(region, address);
  }
  if (node_ && !tables_.tables.empty()) follow(rpc::ReplicatedTables(tables_));
}

void Flows::sink_up(const RegionId& region) {
  for (auto& [key, flow] : flows_)
    if (std::get<1>(key) == region) flow->link_up();
}

void Flows::follow(const rpc::ReplicatedTables& tables) {
  tables_ = tables;
  wanted_.clear();
  std::set<checkpoint::LeaseKey> shards;
  for (const auto& table : tables.tables) {
    for (const auto& sink : table.sinks) {
      if (sinks_.count(sink) == 0) {
        if (unknown_sinks_.insert(sink).second)
          world_.log.warn("sink_without_address", "region={} table={}", sink.name(), table.name);
        continue;
      }
      for (std::uint16_t shard = 0; shard < table.shards; ++shard) {
        wanted_[{table.id, sink, ShardId(shard)}] = table.name;
        shards.insert({table.id, ShardId(shard)});
      }
    }
  }
  std::vector<Key> gone;
  for (const auto& [key, flow] : flows_)
    if (wanted_.count(key) == 0) gone.push_back(key);
  for (const Key& key : gone) {
    stop_flow(key);
    forget_flow(key);
  }
  if (world_.leases != nullptr) world_.leases->set_shards(std::move(shards));
  start_flows();
}

void Flows::on_leases(const checkpoint::LeaseWorker::Outcome& outcome) {
  for (const auto& lease : outcome.lost) end_lease(lease);
  for (const auto& lease : outcome.hand_over) {
    auto held = tokens_.find(lease);
    if (held == tokens_.end()) continue;
    std::uint64_t token = held->second;
    world_.leases->let_go(lease, token, end_lease(lease));
  }
  for (const auto& gained : outcome.gained) {
    tokens_[gained.key] = gained.token;
    // What this worker knew is older than the lease: of an earlier life of the replica, perhaps.
    std::erase_if(known_, [&gained](const auto& each) {
      return each.first.table == gained.key.table && each.first.shard == gained.key.shard;
    });
    for (const auto& each : gained.checkpoints) known_[each.key] = each.position;
  }
  start_flows();
}

std::vector<checkpoint::Checkpoint> Flows::end_lease(const checkpoint::LeaseKey& lease) {
  std::vector<Key> ended;
  for (const auto& [key, flow] : flows_)
    if (std::get<0>(key) == lease.table && std::get<2>(key) == lease.shard) ended.push_back(key);
  std::vector<checkpoint::Checkpoint> reached;
  for (const Key& key : ended) {
    stop_flow(key);
    checkpoint::CheckpointKey checkpoint{std::get<1>(key), lease.table, lease.shard};
    world_.checkpoints.drop(checkpoint);
    if (auto at = known_.find(checkpoint); at != known_.end())
      reached.push_back({checkpoint, at->second, world_.clock.wall_ms(), 0});
  }
  tokens_.erase(lease);
  return reached;
}

std::optional<std::uint64_t> Flows::token_of(const TableId& table, ShardId shard) const {
  if (world_.leases == nullptr) return 0;
  auto at = tokens_.find({table, shard});
  if (at == tokens_.end()) return std::nullopt;
  return at->second;
}

void Flows::start_flows() {
  for (const auto& [key, name] : wanted_)
    if (flows_.count(key) == 0 && token_of(std::get<0>(key), std::get<2>(key)))
      start_flow(key, name);
  follow_barriers();
}

void Flows::follow_barriers() {
  if (!heartbeat_) return;
  std::map<TableId, std::set<RegionId>> sinks;
  for (const auto& [key, name] : wanted_)
    if (token_of(std::get<0>(key), ShardId(0))) sinks[std::get<0>(key)].insert(std::get<1>(key));
  heartbeat_->follow(std::move(sinks));
}

void Flows::start_flow(const Key& key, const std::string& table_name) {
  const auto& [table, region, shard] = key;
  auto& lag = lag_[{table, region}];
  if (!lag) lag = std::make_shared<LinkLag>();
  auto& reads = reads_[{table, region}];
  if (!reads)
    reads = std::make_shared<LogReads>(world_.source, world_.clock, world_.region, table, region);
  FlowWorld world{world_.source,
                  reads,
                  sinks_.at(region).link,
                  world_.timer,
                  world_.clock,
                  world_.rng,
                  world_.log,
                  [this](const rpc::FlowId& flow, const RegionId& sink, LogPosition position) {
                    acknowledged(flow, sink, position);
                  }};
  PumpLimits limits = world_.limits;
  limits.collapse_backlog = world_.collapse_tables.count(table_name) != 0;
  auto flow = kj::heap<Flow>(std::move(world), rpc::FlowId{table, shard, world_.region}, table_name,
                             limits, lag);
  std::optional<LogPosition> checkpoint;
  if (auto at = known_.find({region, table, shard}); at != known_.end()) {
    checkpoint = at->second;
    // A worker that died may have saved it and told the node nothing.
    world_.acknowledger.add({table, shard, region, *checkpoint});
  }
  flow->start(checkpoint);
  flows_.emplace(key, kj::mv(flow));
}

void Flows::stop_flow(const Key& key) {
  const auto& [table, region, shard] = key;
  auto at = flows_.find(key);
  at->second->stop();
  flows_.erase(at);
  world_.acknowledger.forget(table, shard, region);
  bool link_ends = std::none_of(flows_.begin(), flows_.end(), [&key](const auto& each) {
    return std::get<0>(each.first) == std::get<0>(key) &&
           std::get<1>(each.first) == std::get<1>(key);
  });
  if (!link_ends) return;
  lag_.erase({table, region});
  reads_.erase({table, region});
}

// The table or the replica is gone.
void Flows::forget_flow(const Key& key) {
  const auto& [table, region, shard] = key;
  checkpoint::CheckpointKey checkpoint{region, table, shard};
  known_.erase(checkpoint);
  world_.checkpoints.forget(checkpoint);
}

void Flows::stop() {
  for (auto& [key, flow] : flows_) flow->stop();
}

void Flows::acknowledged(const rpc::FlowId& flow, const RegionId& sink, LogPosition position) {
  checkpoint::CheckpointKey key{sink, flow.table, flow.shard};
  known_[key] = position;
  // A flow that ends because its lease is gone has nothing to save under.
  if (auto token = token_of(flow.table, flow.shard)) world_.checkpoints.save(key, position, *token);
  world_.acknowledger.add({flow.table, flow.shard, sink, position});
}

// ------------------------------------------------------------------------------------------ figures

std::vector<rpc::BacklogQuery> Flows::stale() const {
  std::vector<rpc::BacklogQuery> out;
  for (const auto& [key, flow] : flows_)
    if (!flow->figures_fresh() && out.size() < rpc::kBacklogQueriesMax)
      out.push_back(flow->backlog_query());
  return out;
}

void Flows::on_backlogs(const std::vector<rpc::BacklogQuery>& queries,
                        const std::vector<rpc::BacklogAnswer>& answers) {
  for (std::size_t i = 0; i < std::min(queries.size(), answers.size()); ++i) {
    auto at = flows_.find({queries[i].table, queries[i].sink, queries[i].shard});
    if (at != flows_.end()) at->second->on_backlog(answers[i]);
  }
}

void Flows::sample() {
  std::map<std::pair<TableId, RegionId>, Pending> links;
  for (const auto& [key, flow] : flows_) {
    std::pair link(std::get<0>(key), std::get<1>(key));
    add(links.try_emplace(link, Pending{0, 0, {}, {}}).first->second, flow->pending());
  }
  for (const auto& [link, pending] : links) {
    bool none = pending.records == 0u;
    lag_.at(link)->sample(none ? std::optional<std::int64_t>(0) : pending.oldest_ms,
                          world_.clock.monotonic_ms());
  }
}

std::optional<std::int64_t> Flows::offset_to(const Sink& sink) const {
  auto theirs = sink.session->figures().clock_offset_us;
  auto ours = world_.source.figures().clock_offset_us;
  if (!theirs || !ours) return std::nullopt;
  return *theirs - *ours;
}

void Flows::describe(ReplicatorStatus& out) const {
  if (world_.leases != nullptr) out.leases = world_.leases->figures();
  for (auto& row : out.leases.rows)
    for (const auto& [key, name] : wanted_)
      if (std::get<0>(key) == row.table) row.table_name = name;
  for (const auto& [region, sink] : sinks_)
    out.peers.push_back(peer_status(region, sink.session->figures()));
  for (const auto& [key, flow] : flows_) {
    auto status = flow->status();
    bool same_link = !out.links.empty() && out.links.back().table == status.table &&
                     out.links.back().sink == status.sink;
    if (!same_link) {
      auto& link = out.links.emplace_back();
      link.table = status.table;
      link.table_name = status.table_name;
      link.sink = status.sink;
      link.state = FlowState::stopped;
      link.pending.records = 0;
      link.pending.bytes = 0;
      const auto& lag = lag_.at({status.table, status.sink});
      auto now_ms = world_.clock.monotonic_ms();
      link.lag = lag;
      link.records = lag->records(now_ms, out.window_ms);
      link.probes = lag->probes(now_ms, out.window_ms);
      link.trend = lag->trend(now_ms);
      link.applied_us = lag->applied_us();
      link.probe_us = lag->probe_us();
      link.clock_offset_us = offset_to(sinks_.at(status.sink));
      for (const auto& [fault, left_ms] : world_.faults.describe(status.sink).faults)
        link.faults.push_back({state_under(fault.kind), rpc::describe(fault), left_ms});
    }
    auto& link = out.links.back();
    add(link.pending, status.pending);
    link.records_collapsed += status.records_collapsed;
    link.bytes_collapsed += status.bytes_collapsed;
    if (severity(status.state) > severity(link.state)) {
      link.state = status.state;
      link.reason = status.reason;
    }
    out.flows.push_back(std::move(status));
  }
  std::stable_sort(out.links.begin(), out.links.end(),
                   [](const LinkStatus& a, const LinkStatus& b) {
                     return std::tie(a.table_name, a.sink) < std::tie(b.table_name, b.sink);
                   });
}

}  // namespace meridian::replicator
