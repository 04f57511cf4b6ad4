// DescribeTableReplicaAutoScaling and UpdateTableReplicaAutoScaling.  Capacity units throttle nothing
// here, so there is nothing to scale: every dimension is described as not scaled, and a request to
// scale one is refused.
#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/request.h"
#include "region-node/api/table_description.h"

namespace meridian::api::ops {
namespace {

// AWS's typographic quotation marks.
std::string quoted(const std::string& name) { return "\u2018" + name + "\u2019"; }

Result<store::TablePtr, ApiError> find_global_table(const Call& call, const std::string& name) {
  auto table = call.services.store.catalog()->find(name);
  if (!table || table->peers(call.services.store.region()).empty())
    return Err(
        ApiError::resource_not_found("Global table with name: '" + name + "' does not exist."));
  return table;
}

void append_not_scaled(std::string& out) {
  JsonMembers settings(out);
  settings.boolean("AutoScalingDisabled", true);
  settings.name("ScalingPolicies") += "[]";
  settings.end();
}

std::string description_of(const store::TableInfo& table, const RegionId& self) {
  std::string out;
  JsonMembers answer(out);
  JsonMembers members(answer.name("TableAutoScalingDescription"));
  members.text("TableName", table.name);
  members.text("TableStatus", table_status(table, self));
  append_replica_list(members.name("Replicas"), table, [](auto& replica, auto&, auto& entry) {
    replica.name("GlobalSecondaryIndexes") += "[]";
    append_not_scaled(replica.name("ReplicaProvisionedReadCapacityAutoScalingSettings"));
    append_not_scaled(replica.name("ReplicaProvisionedWriteCapacityAutoScalingSettings"));
    replica.text("ReplicaStatus", replica_status(entry));
  });
  members.end();
  answer.end();
  return out;
}

// What a request asks for: whether it names a dimension, and whether it would scale one.
struct Wanted {
  bool anything = false;
  bool scaling = false;

  void take(const JsonValue& dimension, Problems& problems) {
    auto update = dimension.object(problems);
    if (!update) return;
    anything = true;
    scaling = scaling || !update->get("AutoScalingDisabled").boolean(problems).value_or(false);
  }
};

Wanted read_updates(const Call& call, const store::TableInfo& table, Constraints& constraints,
                    Problems& problems) {
  Wanted out;
  out.take(call.input.get("ProvisionedWriteCapacityAutoScalingUpdate"), problems);
  auto replicas = call.input.get("ReplicaUpdates").array(problems);
  for (std::size_t i = 0; replicas && i < replicas->size(); ++i) {
    auto one = replicas->at(i).object(problems);
    if (!one) break;
    auto region = one->get("RegionName").text(problems);
    constraints.required(region.has_value(),
                         "replicaUpdates." + std::to_string(i + 1) + ".member.regionName");
    auto parsed = RegionId::parse(region.value_or(""));
    if (region && (!parsed || !table.has_replica(*parsed)))
      problems.report(ApiError::resource_not_found(
          "Failed to update settings for global table with name: " + quoted(table.name) +
          " because a replica does not exist in regions: [" + std::string(*region) + "]."));
    out.take(one->get("ReplicaProvisionedReadCapacityAutoScalingUpdate"), problems);
  }
  return out;
}

}  // namespace

Answer describe_table_replica_auto_scaling(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto name = read_table_name(call, constraints, problems);
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  auto table = find_global_table(call, name);
  if (!table) return Err(std::move(table.error()));
  return description_of(**table, call.services.store.region());
}

Answer update_table_replica_auto_scaling(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto name = read_table_name(call, constraints, problems);
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  auto table = find_global_table(call, name);
  if (!table) return Err(std::move(table.error()));
  Constraints of_updates;
  auto wanted = read_updates(call, **table, of_updates, problems);
  of_updates.finish(problems);
  if (problems.any()) return Err(problems.take());
  if (!wanted.anything)
    return Err(ApiError::validation("Failed to update settings for global table with name: " +
                                    quoted(name) +
                                    " because at least one update parameter must be specified."));
  if (wanted.scaling)
    return Err(ApiError::validation(
        "Failed to update settings for global table with name: " + quoted(name) +
        ": auto scaling is not supported here, where capacity units never throttle; only "
        "AutoScalingDisabled can be set to true."));
  return description_of(**table, call.services.store.region());
}

}  // namespace meridian::api::ops
