#include "region-node/expr/update.h"
#include "region-node/api/legacy_json.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/ops/write.h"
#include "region-node/api/wire_json.h"
#include "region-node/api/write_outcome.h"
#include "region-node/expr/projection.h"

namespace meridian::api::ops {
namespace {

struct CompiledUpdate {
  expr::Update update;
  UpdateMutation::OnAbsent on_absent = UpdateMutation::OnAbsent::create;
};

// UpdateExpression, or the older AttributeUpdates; with neither, the update makes a key-only item.
CompiledUpdate read_update(const JsonObject& input, ExpressionInput& expressions,
                           Problems& problems) {
  CompiledUpdate out;
  auto text = input.get("UpdateExpression").text(problems);
  auto updates = read_attribute_updates(input.get("AttributeUpdates"), problems);
  if (problems.any()) return out;
  if (text) {
    auto parsed = valid(expr::parse_update(*text, expressions.placeholders()), problems);
    if (parsed) out.update = std::move(*parsed);
  } else if (updates) {
    auto parsed = valid(expr::update_from_attribute_updates(*updates), problems);
    if (!parsed) return out;
    out.update = std::move(*parsed);
  }
  // With actions that only take away, an absent item stays absent; with no action at all it is made.
  bool has_actions = text || (updates && !updates->empty());
  if (has_actions && out.update.only_deletes()) out.on_absent = UpdateMutation::OnAbsent::nothing;
  return out;
}

std::optional<model::Item> returned_attributes(ReturnValues returned,
                                               const UpdateMutation& mutation) {
  const auto& outcome = mutation.outcome();
  std::optional<model::Item> out;
  switch (returned) {
    case ReturnValues::none: return std::nullopt;
    case ReturnValues::all_old: return mutation.old_item();
    case ReturnValues::all_new: return outcome ? std::optional(outcome->item) : std::nullopt;
    case ReturnValues::updated_old: {
      auto old = mutation.old_item();
      if (old && outcome) out = expr::project(*old, outcome->updated);
      break;
    }
    case ReturnValues::updated_new:
      if (outcome) out = expr::project(outcome->item, outcome->updated);
      break;
  }
  // AWS leaves Attributes out when none of them is there.
  return out && out->empty() ? std::nullopt : out;
}

}  // namespace

void update_item(const Call& call, Reply reply) {
  Problems problems;
  Constraints constraints;
  auto key_item = read_map(call.input.get("Key"), problems);
  constraints.required(call.input.get("Key").present(), "key");
  auto request =
      read_write_request(call, constraints,
                         {ReturnValues::none, ReturnValues::all_old, ReturnValues::updated_old,
                          ReturnValues::all_new, ReturnValues::updated_new},
                         "", problems);
  refuse_mixture(call.input, {"AttributeUpdates", "Expected", "ConditionalOperator"},
                 {"UpdateExpression", "ConditionExpression"}, problems);
  ExpressionInput expressions(call.input, {"UpdateExpression", "ConditionExpression"}, problems);
  auto compiled = read_update(call.input, expressions, problems);
  auto condition = read_write_condition(call.input, expressions, problems);
  expressions.check_all_used(problems);
  if (problems.any()) return reply(Err(problems.take()));

  auto table = find_table(call.services, request.table_name);
  if (!table) return reply(Err(std::move(table.error())));
  auto key = encode_request_key((*table)->keys, *key_item, problems);
  check(compiled.update.check_keys((*table)->keys), problems);
  if (problems.any()) return reply(Err(problems.take()));

  auto mutation = std::make_shared<UpdateMutation>(mutation_options(request, std::move(condition)),
                                                   std::move(*key_item), std::move(compiled.update),
                                                   compiled.on_absent);
  auto answer = [request, update = mutation.get()] {
    return write_answer(request, returned_attributes(request.returned, *update), *update);
  };
  submit_write(call.services, (*table)->id, std::move(*key), std::move(mutation), std::move(answer),
               std::move(reply));
}

}  // namespace meridian::api::ops
