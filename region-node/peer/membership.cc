#include "region-node/peer/membership.h"

#include "region-node/peer/convert.h"
#include "rpc/codec.h"
#include "rpc/faults/peer_dialer.h"
#include "rpc/kj_log.h"

namespace meridian::peer {

Membership::Membership(World world, const std::vector<std::pair<RegionId, std::string>>& peers)
    : world_(std::move(world)),
      self_(world_.store.region()),
      controls_(world_.mailbox),
      pins_(world_.mailbox),
      tasks_(*this) {
  for (const auto& [region, address] : peers) add_link(region, address);
}

Membership::PeerLink& Membership::add_link(const RegionId& region, const std::string& address) {
  rpc::SessionOptions options;
  options.hello = {world_.protocol_max, self_, world_.store.node_id(), rpc::Role::peer_node};
  options.expected = region;
  options.address = address;
  auto& link = peers_[region];
  link.address = address;
  link.dialer = rpc::peer_dialer({world_.network, &world_.faults.link(region), world_.tls}, region,
                                 address);
  link.session = kj::heap<rpc::Session>(world_.timer, *link.dialer, world_.clock, world_.rng,
                                        world_.log, std::move(options));
  return link;
}

void Membership::start() {
  for (auto& [region, link] : peers_) start_link(region, link);
  tasks_.add(rounds());
}

void Membership::start_link(const RegionId& region, PeerLink& link) {
  link.session->start([this, region, &link](bool up) {
    // Who comes back may have lost something: confirm everything anew.
    link.confirmed.clear();
    link.trusted = false;
    if (up) connected(region, link);
  });
}

void Membership::add_peers(const std::vector<std::pair<RegionId, std::string>>& peers) {
  for (const auto& [region, address] : peers) {
    if (auto at = peers_.find(region); at != peers_.end()) {
      if (at->second.address != address)
        world_.log.warn("peer_not_changed", "region={} address={} reason=\"it takes a restart\"",
                        region.name(), at->second.address);
      continue;
    }
    world_.log.info("peer_added", "region={} address={}", region.name(), address);
    start_link(region, add_link(region, address));
  }
}

void Membership::connected(const RegionId& region, PeerLink& link) {
  auto node = link.session->peer()->node;
  auto pending = pins_.open();
  world_.store.pin_identity(region, node, std::move(pending.answer));
  tasks_.add(pending.promise.then([this, region, node,
                                   &link](std::optional<bool> pinned) -> kj::Promise<void> {
    if (!pinned) return kj::READY_NOW;
    bool same = link.session->connected() && link.session->peer()->node == node;
    link.trusted = *pinned && same;
    if (*pinned) return kj::READY_NOW;
    bool said = link.refused == node;
    link.refused = node;
    if (!said)
      world_.log.error("identity_conflict", "region={} node={:016x}", region.name(), node.value);
    return recognise(region, node, link, said);
  }));
}

rpc::Session* Membership::reachable(const RegionId& region) {
  auto at = peers_.find(region);
  if (at == peers_.end() || !at->second.trusted) return nullptr;
  return at->second.session.get();
}

std::vector<Membership::LinkState> Membership::links() const {
  std::vector<LinkState> out;
  for (const auto& [region, link] : peers_) out.push_back({region, link.session->figures()});
  return out;
}

kj::Promise<void> Membership::rounds() {
  return world_.timer.afterDelay(kRoundMs * kj::MILLISECONDS)
      .then([this] { return round(); })
      .then([this] { return rounds(); });
}

kj::Promise<void> Membership::round() {
  auto pushes = kj::heapArrayBuilder<kj::Promise<void>>(peers_.size());
  auto catalog = world_.store.catalog();
  for (auto& [region, link] : peers_) {
    kj::Promise<void> chain = kj::READY_NOW;
    // (What another region tells may have settled it, or ended the life that it lived.)
    if (link.session->connected()) connected(region, link);
    if (link.trusted) {
      for (const auto& [id, table] : catalog->by_id) {
        if (!table->has_replica(region)) continue;
        auto confirmed = link.confirmed.find(id);
        if (confirmed != link.confirmed.end() && confirmed->second == view_of(*table))
          continue;
        // One at a time: a node that comes back must not be met by every table at once.
        chain = chain.then(
            [this, to = region, table_id = id] { return push(to, table_id).ignoreResult(); });
      }
    }
    pushes.add(kj::mv(chain));
  }
  return kj::joinPromises(pushes.finish());
}

kj::Promise<bool> Membership::push(RegionId region, TableId table) {
  auto known = world_.store.catalog()->find(table);
  auto* to = reachable(region);
  if (!known || to == nullptr) return false;
  return to
      ->call([&known](rpc::wire::Region::Client& client) {
        auto request = client.mergeTableRequest();
        rpc::write_definition(definition_of(*known), request.initTable());
        return kj::Promise<capnp::Response<rpc::wire::Region::MergeTableResults>>(request.send());
      })
      .then([this, region, table](capnp::Response<rpc::wire::Region::MergeTableResults>&& answer)
                -> kj::Promise<bool> {
        if (!answer.getKnown()) return forget_member(region, table);
        return learn(region, rpc::read_definition(answer.getTable()));
      })
      .catch_([this, region, table](kj::Exception&& failure) {
        world_.log.warn("membership_not_confirmed", "region={} table={} reason=\"{}\"",
                        region.name(), table.hex(), rpc::describe(failure));
        return false;
      });
}

kj::Promise<bool> Membership::learn(RegionId region, rpc::TableDefinition theirs) {
  auto table = world_.store.catalog()->find(theirs.id);
  if (!table) return false;
  View view{entries_of(theirs), settings_of(theirs)};
  if (view == view_of(*table)) {
    peers_[region].confirmed[theirs.id] = std::move(view);
    return true;
  }
  auto confirmed = view;
  return merge(theirs.id, std::move(view.replicas), std::move(view.settings))
      .then([this, region, id = theirs.id,
             confirmed = std::move(confirmed)](Controlled merged) mutable {
        peers_[region].confirmed[id] = std::move(confirmed);
        return merged.ok;
      });
}

kj::Promise<bool> Membership::forget_member(RegionId region, TableId id) {
  auto table = world_.store.catalog()->find(id);
  if (!table || !table->has_replica(region)) return true;
  auto entry = table->replicas.at(region);
  world_.log.warn("replica_gone", "table={} region={}", table->name, region.name());
  // Just above what is known: a replica that is made again later has a newer entry still.
  store::ReplicaEntry removal{false, {entry.changed.hlc.next(), self_}};
  return merge(id, {{region, removal}}).then([this, id](Controlled merged) {
    if (merged.ok) tasks_.add(push_to_members(id));
    return merged.ok;
  });
}

kj::Promise<Controlled> Membership::merge(TableId table,
                                          std::map<RegionId, store::ReplicaEntry> entries,
                                          store::Settings settings) {
  // In this order the writer does them; a round sees whether both have been done.
  world_.store.merge_settings(table, std::move(settings), ignored());
  auto pending = controls_.open();
  world_.store.merge_replicas(table, std::move(entries), controlled(std::move(pending.answer)));
  return kj::mv(pending.promise);
}

kj::Promise<void> Membership::push_to_members(TableId id) {
  auto table = world_.store.catalog()->find(id);
  if (!table) return kj::READY_NOW;
  auto peers = table->peers(self_);
  auto pushes = kj::heapArrayBuilder<kj::Promise<void>>(peers.size());
  for (const auto& region : peers) pushes.add(push(region, id).ignoreResult());
  return kj::joinPromises(pushes.finish());
}

void Membership::taskFailed(kj::Exception&& failure) {
  world_.log.error("membership_task_failed", "reason=\"{}\"", rpc::describe(failure));
}

}  // namespace meridian::peer
