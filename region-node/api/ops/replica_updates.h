// The ReplicaUpdates of UpdateTable: what a request asks for, and what AWS refuses of it.
// Threads: any.  Errors: AWS's texts, into Problems.
// Limits: kReplicaUpdatesMax; one Create or Delete per request, as on AWS.
#pragma once

#include <vector>

#include "region-node/api/call.h"
#include "region-node/api/constraints.h"
#include "region-node/api/ops/table_params.h"
#include "region-node/store/store.h"

namespace meridian::api::ops {

inline constexpr std::size_t kReplicaUpdatesMax = 10;  // a local deployment has at most ten regions

struct ReplicaUpdate {
  enum class Action { create, update, remove };
  Action action = Action::create;
  RegionId region;
  SettingValues overrides;  // of Create and Update, by the setting's plain name
};

// Empty when the request has none.
std::vector<ReplicaUpdate> read_replica_updates(const JsonObject& input, Constraints& constraints,
                                                Problems& problems);
// Reports what cannot be done to `table` as it is.
void check_replica_updates(const std::vector<ReplicaUpdate>& updates, const store::TableInfo& table,
                           const RegionId& self, Problems& problems);
// The settings that the updates change, before anything else is done.  A replica that is made has no
// overrides but those that it is made with, whatever one of the same name had before.
SettingValues override_changes(const std::vector<ReplicaUpdate>& updates,
                               const store::TableInfo& table);
bool makes_global(const std::vector<ReplicaUpdate>& updates);

}  // namespace meridian::api::ops
