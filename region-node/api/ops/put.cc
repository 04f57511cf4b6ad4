#include "region-node/api/ops/ops.h"
#include "region-node/api/ops/write.h"
#include "region-node/api/wire_json.h"
#include "region-node/api/write_outcome.h"
#include "region-node/model/image.h"
#include "region-node/model/item_size.h"
#include "region-node/model/key.h"

namespace meridian::api::ops {

void put_item(const Call& call, Reply reply) {
  Problems problems;
  Constraints constraints;
  auto item = read_map(call.input.get("Item"), problems);
  constraints.required(call.input.get("Item").present(), "item");
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
  auto key = valid(model::encode_key((*table)->keys, *item), problems);
  std::size_t bytes = model::item_size(*item);
  if (bytes > model::kItemBytesMax)
    problems.report(ApiError::validation("Item size has exceeded the maximum allowed size"));
  if (problems.any()) return reply(Err(problems.take()));

  auto mutation = std::make_shared<PutMutation>(mutation_options(request, std::move(condition)),
                                                model::encode_image(*item), bytes);
  auto answer = [request, put = mutation.get()] {
    bool old = request.returned == ReturnValues::all_old;
    return write_answer(request, old ? put->old_item() : std::nullopt, *put);
  };
  submit_write(call.services, (*table)->id, std::move(*key), std::move(mutation), std::move(answer),
               std::move(reply));
}

}  // namespace meridian::api::ops
