// What Membership does when another node answers under a region's name: the region has lost its data
// directory, or somebody speaks in its name.
#include "region-node/peer/convert.h"
#include "region-node/peer/copier.h"
#include "region-node/peer/membership.h"
#include "rpc/codec.h"
#include "rpc/kj_log.h"

namespace meridian::peer {

kj::Promise<void> Membership::recognise(RegionId region, NodeId node, PeerLink& link,
                                       bool said) {
  auto is_there = [node, &link] {
    return link.session->connected() && link.session->peer()->node == node;
  };
  // (A store that cannot write can put nobody in the other one's place.)
  if (!is_there() || !world_.store.health().accepts_writes ||
      link.session->peer()->protocol < kCopyProtocol)
    return kj::READY_NOW;
  kj::Promise<bool> anew = false;
  auto replaced = std::make_shared<store::Replaced>(store::Replaced::anyone);
  for (const auto& [id, table] : world_.store.catalog()->by_id) {
    if (!table->has_replica(region) || !table->has_replica(self_)) continue;
    anew = anew.then([this, region, id = id, &link, replaced](bool) {
      return begins_anew(region, id, link, replaced, Asked::nothing);
    });
  }
  return anew
      .then([this, region, node, is_there,
             replaced](bool begun) -> kj::Promise<std::optional<bool>> {
        if (!begun || !is_there()) return std::optional<bool>();
        auto pending = pins_.open();
        world_.store.replace_identity(region, node, *replaced, std::move(pending.answer));
        return kj::mv(pending.promise);
      })
      .then([this, region, node, is_there, &link](std::optional<bool> done) {
        if (!done.value_or(false)) return;
        world_.log.error("region_began_anew",
                         "region={} node={:016x} what=\"it has lost its data directory; its "
                         "replicas are filled by the others\"",
                         region.name(), node.value);
        link.trusted = is_there();
        if (new_life_) new_life_(region);
      })
      .catch_([this, region, said](kj::Exception&& failure) {
        if (said) return;
        world_.log.warn("region_not_recognised", "region={} reason=\"{}\"", region.name(),
                        rpc::describe(failure));
      });
}

// Whether the node knows nothing of what the region held, and has a new replica of the table.  Fails
// when it has the old one: it is asked before it is told of the life that is known here, for an old
// directory would answer that with a newer one.  The new one may be known here already, from others; then
// the node takes the place of one of which they have told that it has ended, and of nobody else.
kj::Promise<bool> Membership::begins_anew(RegionId region, TableId id, PeerLink& link,
                                          std::shared_ptr<store::Replaced> replaced, Asked asked) {
  auto table = world_.store.catalog()->find(id);
  if (!table || !table->has_replica(region)) return true;
  auto definition = definition_of(*table);
  if (asked != Asked::newer_life) definition.replicas.erase(region);
  return link.session
      ->call([&definition](rpc::wire::Region::Client& client) {
        auto request = client.mergeTableRequest();
        rpc::write_definition(definition, request.initTable());
        return kj::Promise<capnp::Response<rpc::wire::Region::MergeTableResults>>(request.send());
      })
      .then([this, region, id, table, &link, replaced, asked](
                capnp::Response<rpc::wire::Region::MergeTableResults>&& answer)
                -> kj::Promise<bool> {
        if (!answer.getKnown()) {
          if (asked != Asked::nothing)
            kj::throwFatalException(KJ_EXCEPTION(FAILED, "the new replica is gone"));
          return ask_new_life(id, link).then([this, region, id, &link, replaced](bool) {
            return begins_anew(region, id, link, replaced, Asked::new_replica);
          });
        }
        auto theirs = rpc::read_definition(answer.getTable());
        auto entries = entries_of(theirs);
        auto own = entries.find(region);
        auto known = table->replicas.at(region).joined;
        bool there = own != entries.end() && own->second.present;
        bool older = there && own->second.joined < known;
        // A clock was behind when it began.  Told of the life that it has lost, it begins a newer one.
        if (older && own->second.copying && asked != Asked::newer_life)
          return begins_anew(region, id, link, replaced, Asked::newer_life);
        if (!there || older)
          kj::throwFatalException(
              KJ_EXCEPTION(FAILED, "another node holds a table under the name of this region"));
        if (own->second.joined == known) *replaced = store::Replaced::ended;
        return learn(region, std::move(theirs));
      });
}

kj::Promise<bool> Membership::ask_new_life(TableId id, PeerLink& link) {
  auto table = world_.store.catalog()->find(id);
  if (!table) return true;
  return link.session
      ->call([&table](rpc::wire::Region::Client& client) {
        auto request = client.createReplicaRequest();
        request.setCopy(true);
        rpc::write_definition(definition_of(*table), request.initTable());
        return kj::Promise<capnp::Response<rpc::wire::Region::CreateReplicaResults>>(
            request.send());
      })
      .then([](capnp::Response<rpc::wire::Region::CreateReplicaResults>&& results) {
        if (results.getErrorType().size() > 0)
          kj::throwFatalException(KJ_EXCEPTION(FAILED, "the region refuses a new replica",
                                               results.getErrorMessage()));
        return true;
      });
}

}  // namespace meridian::peer
