// The calls of global tables version 2017.11.29, which AWS answers with errors today, also for the
// name of a table that is global in the way of 2019.11.21.
#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/request.h"

namespace meridian::api::ops {
namespace {

std::string read_global_name(const Call& call, Constraints& constraints, Problems& problems) {
  auto name = call.input.get("GlobalTableName").text(problems);
  constraints.required(name.has_value(), "globalTableName");
  if (name) constraints.new_table_name(*name, "globalTableName");
  return std::string(name.value_or(""));
}

Answer not_found(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto name = read_global_name(call, constraints, problems);
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  return Err(ApiError::global_table_not_found(name));
}

}  // namespace

Answer create_global_table(const Call& call) {
  Problems problems;
  Constraints constraints;
  read_global_name(call, constraints, problems);
  constraints.required(call.input.get("ReplicationGroup").present(), "replicationGroup");
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  return Err(ApiError::validation(
      "DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB "
      "global tables version 2019.11.21, instead of version 2017.11.29 (Legacy)."));
}

Answer update_global_table(const Call& call) { return not_found(call); }
Answer describe_global_table(const Call& call) { return not_found(call); }
Answer describe_global_table_settings(const Call& call) { return not_found(call); }
Answer update_global_table_settings(const Call& call) { return not_found(call); }

Answer list_global_tables(const Call& call) {
  Problems problems;
  Constraints constraints;
  constraints.at_least(call.input.get("Limit").integer(problems), "limit", 1);
  auto after = call.input.get("ExclusiveStartGlobalTableName").text(problems);
  if (after) constraints.new_table_name(*after, "exclusiveStartGlobalTableName");
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  std::string out;
  JsonMembers members(out);
  members.name("GlobalTables") += "[]";
  members.end();
  return out;
}

}  // namespace meridian::api::ops
