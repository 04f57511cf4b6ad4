#include "region-node/api/ops/ops.h"
#include "region-node/api/ops/write.h"
#include "region-node/api/wire_json.h"
#include "region-node/api/write_outcome.h"

namespace meridian::api::ops {

void delete_item(const Call& call, Reply reply) {
  Problems problems;
  Constraints constraints;
  auto key_item = read_map(call.input.get("Key"), problems);
  constraints.required(call.input.get("Key").present(), "key");
  auto request = read_write_request(call, constraints, {ReturnValues::none, ReturnValues::all_old},
                                    "ReturnValues can only be ALL_OLD or NONE", problems);
  refuse_mixture(call.input, {"Expected", "ConditionalOperator"}, {"ConditionExpression"},
                 problems);
  ExpressionInput expressions(call.input, {"ConditionExpression"}, problems);
  auto condition = read_write_condition(call.input, expressions, problems);
  expressions.check_all_used(problems);
  if (problems.any()) return reply(Err(problems.take()));

  auto table = find_table(call.services, request.table_name);
  if (!table) return reply(Err(std::move(table.error())));
  auto key = encode_request_key((*table)->keys, *key_item, problems);
  if (problems.any()) return reply(Err(problems.take()));

  auto mutation = std::make_shared<DeleteMutation>(mutation_options(request, std::move(condition)));
  auto answer = [request, removal = mutation.get()] {
    bool old = request.returned == ReturnValues::all_old;
    return write_answer(request, old ? removal->old_item() : std::nullopt, *removal);
  };
  submit_write(call.services, (*table)->id, std::move(*key), std::move(mutation), std::move(answer),
               std::move(reply));
}

}  // namespace meridian::api::ops
