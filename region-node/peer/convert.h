// Between the store's tables and what the wire says of them.
// Pure.  Threads: any.
#pragma once

#include <map>
#include <optional>

#include "region-node/store/store.h"
#include "rpc/messages.h"

namespace meridian::peer {

rpc::TableDefinition definition_of(const store::TableInfo& table);
// Empty when the definition names a view type that this release does not know.
std::optional<store::TableSpec> spec_of(const rpc::TableDefinition& definition);
// Without versions, when a release that had none says it.
store::Settings settings_of(const rpc::TableDefinition& definition);
std::map<RegionId, store::ReplicaEntry> entries_of(const rpc::TableDefinition& definition);
// Tables that `self` holds together with at least one other region.
rpc::ReplicatedTables replicated_tables(const store::Catalog& catalog, const RegionId& self);

}  // namespace meridian::peer
