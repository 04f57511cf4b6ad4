// The part of SimCopier that does what a region node does when another node answers under a region's
// name: the region has lost its data directory, and begins a new life of its replicas.  See
// region-node/peer/new_life.cc.
#include "tests/sim/sim_copier.h"

namespace meridian::sim {

// As a connection would show: who answers is asked, and whoever is known under that name.
void SimCopier::recognise(std::size_t to) {
  if (!reaches(to) || !node().store().health().accepts_writes) return;
  NodeId there = outside_.nodes[to]->node_id();
  node().store().pin_identity(outside_.nodes[to]->region(), there,
                              node().hearing<std::optional<bool>>(
                                  [this, to, there](const std::optional<bool>& known) {
                                    if (known && !*known) ask_new_life(to, there);
                                  }));
  node().commit_soon();
}

// It is given a new replica of each table that it does not know; when it has the old one, it is left
// alone.
void SimCopier::ask_new_life(std::size_t to, NodeId there) {
  RegionId name = outside_.nodes[to]->region();
  std::map<TableId, store::TableSpec> known;
  for (std::size_t table = 0; table < outside_.tables.size(); ++table) {
    auto info = node().store().catalog()->find(outside_.tables[table]);
    if (info && info->has_replica(name) && info->has_replica(node().region()))
      known[info->id] = replica_spec(*info, to);
  }
  outside_.network.send(region_, to, [this, to, there, known, name] {
    SimNode& other = *outside_.nodes[to];
    if (!other.up() || other.node_id() != there) return;
    std::map<TableId, store::ReplicaEntry> learned;
    auto replaced = store::Replaced::anyone;
    bool made = false;
    for (const auto& [id, spec] : known) {
      auto info = other.store().catalog()->find(id);
      if (!info) {
        other.store().create_table(spec, {});
        made = true;
        continue;
      }
      auto own = info->replicas.find(name);
      const auto& heard = spec.replicas.at(name).joined;
      bool holds = own != info->replicas.end() && own->second.present;
      if (!holds || own->second.joined < heard) return;  // another node, under the region's name
      if (own->second.joined == heard) replaced = store::Replaced::ended;
      learned[id] = own->second;
    }
    other.commit_soon();
    if (made) return;  // the next look learns what it has made of it
    outside_.network.send(to, region_, [this, to, there, learned, name, replaced] {
      SimNode& spoke = *outside_.nodes[to];
      if (!node().up() || !spoke.up() || spoke.node_id() != there) return;
      for (const auto& [id, entry] : learned)
        node().store().merge_replicas(id, {{name, entry}}, {});
      node().store().replace_identity(name, there, replaced, {});
      node().commit_soon();
    });
  });
}

store::TableSpec SimCopier::replica_spec(const store::TableInfo& info, std::size_t to) const {
  store::TableSpec spec;
  spec.id = info.id;
  spec.name = info.name;
  spec.keys = info.keys;
  spec.created_ms = info.created_ms;
  spec.settings = info.settings;
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  spec.replicas = info.replicas;
  spec.shards = outside_.shape.regions[to].shards;
  spec.copy_from_others = true;
  return spec;
}

}  // namespace meridian::sim
