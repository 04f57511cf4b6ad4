#include "region-node/api/capacity.h"
#include "region-node/api/constraints.h"
#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/request.h"
#include "region-node/api/wire_json.h"
#include "region-node/model/image.h"
#include "region-node/model/item_size.h"
#include "region-node/model/key.h"

namespace meridian::api::ops {

Answer get_item(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto key_item = read_map(call.input.get("Key"), problems);
  constraints.required(call.input.get("Key").present(), "key");
  auto name = read_table_name(call, constraints, problems);
  auto capacity = call.input.get("ReturnConsumedCapacity").text(problems);
  constraints.one_of(capacity, "returnConsumedCapacity", {"INDEXES", "TOTAL", "NONE"});
  bool strong = call.input.get("ConsistentRead").boolean(problems).value_or(false);
  constraints.finish(problems);
  refuse_mixture(call.input, {"AttributesToGet"}, {"ProjectionExpression"}, problems);
  ExpressionInput expressions(call.input, {"ProjectionExpression"}, problems);
  auto projection = read_projection(call.input, expressions, problems);
  expressions.check_all_used(problems);
  if (problems.any()) return Err(problems.take());

  auto table = find_table(call.services, name);
  if (!table) return Err(std::move(table.error()));
  auto key = valid(model::encode_exact_key((*table)->keys, *key_item), problems);
  if (problems.any()) return Err(problems.take());

  auto image = call.services.readers.borrow()->get((*table)->id, *key);
  std::optional<model::Item> item;
  if (image) {
    item = model::decode_image(*image);
    if (!item) return Err(ApiError::internal("The stored item cannot be read"));
  }
  std::string out;
  if (image) out.reserve(image->size() * 2);
  JsonMembers members(out);
  if (item) append_map(members.name("Item"), projection ? projection->apply(*item) : *item);
  if (auto detail = parse_capacity_detail(capacity); detail != CapacityDetail::none) {
    append_capacity(members.name("ConsumedCapacity"), name,
                    read_units(item ? model::item_size(*item) : 0,
                               strong ? Consistency::strong : Consistency::eventual),
                    detail);
  }
  members.end();
  return out;
}

}  // namespace meridian::api::ops
