#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/ops/table_params.h"
#include "region-node/api/request.h"
#include "region-node/api/table_description.h"
#include "region-node/api/write_outcome.h"

namespace meridian::api::ops {

Answer describe_table(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto name = read_table_name(call, constraints, problems);
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  auto table = find_named_table(call.services, name);
  if (!table) return Err(std::move(table.error()));
  return table_answer(call.services, **table,
                      table_status(**table, call.services.store.region()), "Table");
}

Answer list_tables(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto limit = call.input.get("Limit").integer(problems);
  auto after = call.input.get("ExclusiveStartTableName").text(problems);
  constraints.at_least(limit, "limit", 1);
  constraints.at_most(limit, "limit", 100);
  if (after) constraints.table_name(*after, "exclusiveStartTableName");
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());

  auto catalog = call.services.store.catalog();
  auto at = after ? catalog->by_name.upper_bound(*after) : catalog->by_name.begin();
  std::string out;
  JsonMembers members(out);
  auto& names = members.name("TableNames");
  names += '[';
  std::string last;
  std::int64_t count = 0;
  for (; at != catalog->by_name.end() && count < limit.value_or(100); ++at, ++count) {
    if (count > 0) names += ',';
    append_string(names, at->first);
    last = at->first;
  }
  names += ']';
  if (at != catalog->by_name.end()) members.text("LastEvaluatedTableName", last);
  members.end();
  return out;
}

void delete_table(const Call& call, Reply reply) {
  Problems problems;
  Constraints constraints;
  auto name = read_table_name(call, constraints, problems);
  constraints.finish(problems);
  if (problems.any()) return reply(Err(problems.take()));
  auto found = find_named_table(call.services, name);
  if (!found) return reply(Err(std::move(found.error())));
  auto table = std::move(*found);
  if (table->deletion_protection)
    return reply(Err(control_error(store::ControlError::protected_table, name)));
  if (auto refused = refuse_while_created(call.services, *table)) return reply(Err(*refused));
  // Described before it is gone.
  auto answer = table_answer(call.services, *table, "DELETING");
  call.services.replicas.drop_table(
      table, [answer = std::move(answer), reply = std::move(reply)](Result<void, ApiError> result) {
        if (!result) return reply(Err(std::move(result).error()));
        reply(answer);
      });
}

}  // namespace meridian::api::ops
