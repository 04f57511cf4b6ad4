// Membership: keeps one view, over all regions, of who holds which table and with which settings.
//
// The view is a map with one entry per region, and one per setting, last writer wins per entry, merged
// pairwise; so it needs no coordinator.  A change is pushed at once to every member; a round every
// kRoundMs pushes again whatever a region has not confirmed, so that one that was down catches up.
//
// A region that does not know a table it is listed for has given up its copy (only it decides that):
// its entry becomes a removal.
//
// Threads: the KJ thread.  Owns: a session to every configured region.  Borrows: World.
// A region whose name is pinned to another node is not believed: an empty data directory under a known
// name would make it look as if the region had given up its tables.  Instead its node is asked to begin
// a new life of each replica that it should hold, which fills itself (copier.h); when all have begun, the
// name is pinned to the new node.  One that holds a table and says nothing of a new life stays refused.
//
// Errors: push() answers false when the region did not confirm; the round tries again.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "common/rng.h"
#include "region-node/peer/controlled.h"
#include "region-node/store/store.h"
#include "rpc/completions.h"
#include "rpc/faults/link_faults.h"
#include "rpc/session.h"
#include "rpc/tls.h"

namespace meridian::peer {

class Membership final : private kj::TaskSet::ErrorHandler {
 public:
  static constexpr std::int64_t kRoundMs = 2000;

  struct World {
    store::Store& store;
    const Clock& clock;
    kj::Timer& timer;
    kj::Network& network;
    std::shared_ptr<rpc::KjMailbox> mailbox;
    Rng& rng;
    Logger log;
    rpc::LinkFaults& faults;
    rpc::Tls* tls;  // null: plain text
    std::uint32_t protocol_max;
  };
  Membership(World world, const std::vector<std::pair<RegionId, std::string>>& peers);

  void start();
  // Regions that are not known yet; a known one keeps the address that it has.  After start().
  void add_peers(const std::vector<std::pair<RegionId, std::string>>& peers);
  [[nodiscard]] bool configured(const RegionId& region) const { return peers_.count(region) != 0; }
  // Null while the region cannot be reached, or answers under another node identity than before.
  [[nodiscard]] rpc::Session* reachable(const RegionId& region);

  // Tells one region, or every other member, what this one knows of a table.
  kj::Promise<bool> push(RegionId region, TableId table);
  kj::Promise<void> push_to_members(TableId table);
  // The same, and does not say when it is done.
  void announce(TableId table) { tasks_.add(push_to_members(table)); }

  // Told when a region has begun a new life, its data lost.
  void on_new_life(std::function<void(const RegionId&)> told) { new_life_ = std::move(told); }

  // What another thread may read.
  struct LinkState {
    RegionId region;
    rpc::LinkFigures figures;
  };
  [[nodiscard]] std::vector<LinkState> links() const;

 private:
  struct View {
    std::map<RegionId, store::ReplicaEntry> replicas;
    store::Settings settings;
    bool operator==(const View&) const = default;
  };
  static View view_of(const store::TableInfo& table) { return {table.replicas, table.settings}; }

  struct PeerLink {
    std::string address;
    kj::Own<rpc::Dialer> dialer;
    kj::Own<rpc::Session> session;
    bool trusted = false;  // its node identity is the one that the region is pinned to
    NodeId refused;        // the last one that was not, and has been complained about
    std::map<TableId, View> confirmed;  // what this region is known to have, per table
  };

  PeerLink& add_link(const RegionId& region, const std::string& address);
  void start_link(const RegionId& region, PeerLink& link);
  void connected(const RegionId& region, PeerLink& link);
  kj::Promise<void> rounds();
  kj::Promise<void> round();
  // new_life.cc
  kj::Promise<void> recognise(RegionId region, NodeId node, PeerLink& link, bool said);
  enum class Asked { nothing, new_replica, newer_life };
  kj::Promise<bool> begins_anew(RegionId region, TableId table, PeerLink& link,
                                std::shared_ptr<store::Replaced> replaced, Asked asked);
  kj::Promise<bool> ask_new_life(TableId table, PeerLink& link);
  kj::Promise<bool> learn(RegionId region, rpc::TableDefinition theirs);
  kj::Promise<bool> forget_member(RegionId region, TableId table);
  kj::Promise<Controlled> merge(TableId table, std::map<RegionId, store::ReplicaEntry> entries,
                                store::Settings settings = {});
  void taskFailed(kj::Exception&& failure) override;

  const World world_;
  const RegionId self_;
  std::map<RegionId, PeerLink> peers_;
  rpc::Completions<Controlled> controls_;
  rpc::Completions<std::optional<bool>> pins_;
  std::function<void(const RegionId&)> new_life_;
  kj::TaskSet tasks_;  // last: cancelled first
};

}  // namespace meridian::peer
