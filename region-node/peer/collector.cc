#include "region-node/peer/collector.h"

#include <algorithm>
#include <utility>

#include "region-node/store/membership_hash.h"
#include "rpc/codec.h"
#include "rpc/kj_log.h"

namespace meridian::peer {

namespace wire = rpc::wire;
using Limit = conflict::StableHorizon::Limit;

namespace {

std::string describe(const conflict::StableHorizon& found) {
  std::string replica(found.replica.name());
  switch (found.limit) {
    case Limit::none: return {};
    case Limit::unknown: return replica + " has told nothing since this node started";
    case Limit::members: return replica + " does not know the same replicas of the table";
    case Limit::applied: break;
  }
  if (found.horizon == conflict::Hlc{})
    return replica + " has received nothing from " + std::string(found.origin.name()) + " yet";
  return replica + " has what " + std::string(found.origin.name()) + " wrote up to " +
         conflict::to_text({found.horizon, found.origin}) + " only";
}

}  // namespace

Collector::Collector(World world, CollectLimits limits)
    : world_(std::move(world)),
      limits_(limits),
      self_(world_.store.region()),
      reader_(world_.store.open_reader()),
      outcomes_(world_.mailbox),
      tasks_(*this) {}

void Collector::start() { tasks_.add(rounds()); }

void Collector::taskFailed(kj::Exception&& failure) {
  world_.log.error("collection_task_failed", "reason=\"{}\"", rpc::describe(failure));
}

std::vector<CollectionStatus> Collector::status() const {
  std::vector<CollectionStatus> out;
  for (const auto& [id, status] : status_) out.push_back(status);
  return out;
}

kj::Promise<void> Collector::rounds() {
  return world_.timer.afterDelay(kRoundMs * kj::MILLISECONDS)
      .then([this] { return round(); })
      .catch_([this](kj::Exception&& failure) {
        world_.log.warn("collection_round_failed", "reason=\"{}\"", rpc::describe(failure));
      })
      .then([this] { return rounds(); });
}

kj::Promise<void> Collector::round() {
  auto tables = due_tables();
  if (tables.empty()) return kj::READY_NOW;
  kj::Promise<void> chain = ask_peers(tables);
  for (const auto& table : tables)
    chain = chain.then([this, id = table->id] { return collect(id); });
  return chain;
}

// Whether this region holds all of the table, and clients or other regions count on it.
bool Collector::collects(const store::TableInfo& table) const {
  bool shares = table.peers(self_).empty() || table.has_replica(self_);
  return shares && table.serves(self_) && !table.frozen();
}

std::vector<store::TablePtr> Collector::due_tables() {
  auto catalog = world_.store.catalog();
  auto gone = [&](const auto& each) {
    auto table = catalog->find(each.first);
    return !table || !collects(*table);
  };
  std::erase_if(told_, gone);
  std::erase_if(status_, gone);
  std::vector<store::TablePtr> out;
  std::int64_t old_ms = world_.clock.wall_ms() - limits_.retention_ms;
  auto at = looked_to_ ? catalog->by_id.upper_bound(*looked_to_) : catalog->by_id.begin();
  for (std::size_t i = 0; i < catalog->by_id.size(); ++i, ++at) {
    if (at == catalog->by_id.end()) at = catalog->by_id.begin();
    const auto& [id, table] = *at;
    if (!collects(*table) || reader_->stats(id).tombstones == 0) {
      status_.erase(id);
      continue;
    }
    auto oldest = reader_->oldest_tombstone(id);
    if (!oldest || oldest->physical_ms() > old_ms) {
      status_.erase(id);
      continue;
    }
    out.push_back(table);
    looked_to_ = id;
    if (out.size() == rpc::kBarrierTablesMax) break;
  }
  return out;
}

// ---------------------------------------------------------------------------------- what others have

kj::Promise<void> Collector::ask_peers(const std::vector<store::TablePtr>& tables) {
  std::map<RegionId, std::vector<TableId>> questions;
  for (const auto& table : tables)
    for (const auto& peer : table->peers(self_)) questions[peer].push_back(table->id);
  auto asked = kj::heapArrayBuilder<kj::Promise<void>>(questions.size());
  for (const auto& [peer, ids] : questions) {
    asked.add(ask(peer, ids).catch_([this, peer = peer](kj::Exception&& failure) {
      world_.log.debug("watermarks_not_told", "peer={} reason=\"{}\"", peer.name(),
                       rpc::describe(failure));
    }));
  }
  return kj::joinPromises(asked.finish());
}

kj::Promise<void> Collector::ask(const RegionId& peer, const std::vector<TableId>& tables) {
  using Answer = capnp::Response<wire::Region::WatermarksResults>;
  auto* session = world_.membership.reachable(peer);
  bool knows = session != nullptr && session->connected() &&
               session->peer()->protocol >= rpc::kProtocolWithBarriers;
  if (!knows) return kj::READY_NOW;
  return session
      ->call([&tables](wire::Region::Client& client) {
        auto request = client.watermarksRequest();
        rpc::write_table_ids(tables, request.initTables(static_cast<unsigned>(tables.size())));
        return kj::Promise<Answer>(request.send());
      })
      .then([this, peer](Answer&& answer) {
        for (auto& told : rpc::read_watermarks(answer.getWatermarks())) {
          conflict::ReplicaState state{told.membership, std::move(told.applied),
                                       std::move(told.unsettled)};
          told_[told.table][peer] = std::move(state);
        }
      });
}

// ------------------------------------------------------------------------------------------ the steps

conflict::StableHorizon Collector::find(const store::TableInfo& table) {
  std::set<RegionId> members;
  if (!table.peers(self_).empty())
    for (const auto& [region, entry] : table.replicas)
      if (entry.present) members.insert(region);
  auto membership = store::membership_hash(table.replicas);
  auto& told = told_[table.id];
  told[self_] = {membership, reader_->watermarks(table.id), {}};
  for (const auto& [ended, holders] : table.unsettled) told[self_].unsettled.insert(ended);
  return conflict::stable_horizon(members, membership, told);
}

kj::Promise<void> Collector::collect(const TableId& id) {
  auto table = world_.store.catalog()->find(id);
  if (!table || !collects(*table)) return kj::READY_NOW;
  auto found = find(*table);
  kj::Promise<void> steps = kj::READY_NOW;
  if (found.horizon > conflict::Hlc{})
    steps = step({id, found.horizon, store::membership_hash(table->replicas)});
  return steps.then([this, table, found] { note(*table, found); });
}

kj::Promise<void> Collector::step(store::CollectStep next) {
  if (world_.mending(next.table)) return kj::READY_NOW;
  auto pending = outcomes_.open();
  world_.store.collect(next, std::move(pending.answer));
  return pending.promise.then(
      [this, next](std::optional<store::CollectOutcome> outcome) -> kj::Promise<void> {
        if (!outcome || !outcome->more) return kj::READY_NOW;
        return world_.timer.afterDelay(limits_.step_pause_ms * kj::MILLISECONDS)
            .then([this, next] { return step(next); });
      });
}

// ------------------------------------------------------------------------------------------ the status

void Collector::note(const store::TableInfo& table, const conflict::StableHorizon& found) {
  auto oldest = reader_->oldest_tombstone(table.id);
  std::optional<CollectionStatus> before;
  if (auto at = status_.find(table.id); at != status_.end()) before = at->second;
  CollectionStatus now;
  now.table = table.name;
  now.oldest_ms = oldest ? oldest->physical_ms() : 0;
  std::int64_t overdue_ms = world_.clock.wall_ms() - limits_.retention_ms - now.oldest_ms;
  now.stalled = oldest && overdue_ms > limits_.stalled_after_ms;
  if (found.limit != Limit::none) {
    now.horizon_ms = found.horizon.physical_ms();
    now.replica = found.replica;
    now.why = describe(found);
  }
  if (now.stalled && world_.mending(table.id)) now.why = "the table is being repaired";
  say(now, before);
  if (oldest) {
    status_[table.id] = std::move(now);
  } else {
    status_.erase(table.id);
  }
}

void Collector::say(CollectionStatus& now, const std::optional<CollectionStatus>& before) const {
  bool was = before && before->stalled;
  if (now.stalled && !was)
    world_.log.warn("collection_stalled",
                    "table={} why=\"{}\" effect=\"tombstones are kept until then\"", now.table,
                    now.why);
  if (!now.stalled && was) world_.log.info("collection_goes_on", "table={}", now.table);
}

void collect_collection(const CollectionStatus& status, MetricsPage& page) {
  page.gauge("meridian_table_collection_stalled",
             "1 while old tombstones of the table are kept for the sake of this replica.",
             status.stalled ? 1 : 0,
             {{"table", status.table},
              {"replica", status.replica ? std::string(status.replica->name()) : ""}});
}

}  // namespace meridian::peer
