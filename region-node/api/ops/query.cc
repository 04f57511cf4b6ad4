#include "region-node/api/legacy_json.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/page.h"
#include "region-node/api/request.h"
#include "region-node/expr/key_condition.h"

namespace meridian::api::ops {
namespace {

// KeyConditionExpression, or the older KeyConditions.
std::optional<expr::KeyCondition> read_key_condition(const JsonObject& input,
                                                     const model::KeySchema& schema,
                                                     ExpressionInput& expressions,
                                                     Problems& problems) {
  auto text = input.get("KeyConditionExpression").text(problems);
  auto conditions = read_conditions(input.get("KeyConditions"), problems);
  if (problems.any()) return std::nullopt;
  if (conditions) return valid(expr::key_condition_from_legacy(*conditions, schema), problems);
  if (text)
    return valid(expr::parse_key_condition(*text, schema, expressions.placeholders()), problems);
  problems.report(ApiError::validation(
      "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
      "request."));
  return std::nullopt;
}

// KeyConditions may stand beside any expression but its own.
void refuse_query_mixture(const JsonObject& input, Problems& problems) {
  const std::initializer_list<std::string_view> expressions = {
      "ProjectionExpression", "FilterExpression", "KeyConditionExpression"};
  if (input.get("KeyConditionExpression").present()) {
    refuse_mixture(input,
                   {"AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"},
                   expressions, problems);
  } else {
    refuse_mixture(input, {"AttributesToGet", "QueryFilter", "ConditionalOperator"}, expressions,
                   problems);
  }
}

void refuse_filter_on_key(const JsonObject& input, const model::KeySchema& schema,
                          const expr::Condition& filter, Problems& problems) {
  const char* parameter = input.get("QueryFilter").present() ? "QueryFilter" : "Filter Expression";
  for (const auto& attribute : filter.attributes()) {
    bool key =
        attribute == schema.partition.name || (schema.sort && attribute == schema.sort->name);
    if (key) {
      problems.report(ApiError::validation(
          std::string(parameter) +
          " can only contain non-primary key attributes: Primary key attribute: " + attribute));
    }
  }
}

// Narrows the range to what follows the start key in the direction of reading.
void start_after(const Bytes& key, store::Direction direction, store::KeyRange& range,
                 Problems& problems) {
  bool inside = key >= range.from && (!range.to || key < *range.to);
  if (!inside) {
    problems.report(ApiError::validation(
        "The provided starting key is outside query boundaries based on provided conditions"));
  } else if (direction == store::Direction::ascending) {
    range.from = key;
    range.from_excluded = true;
  } else {
    range.to = key;
  }
}

}  // namespace

Answer query(const Call& call) {
  const auto& input = call.input;
  Problems problems;
  Constraints constraints;
  auto request = read_page_request(call, constraints, problems);
  if (request.limit && *request.limit < 1)
    constraints.fail_unvalued("Limit", "have value greater than or equal to 1");
  bool forward = input.get("ScanIndexForward").boolean(problems).value_or(true);
  constraints.finish(problems);
  refuse_query_mixture(input, problems);
  ExpressionInput expressions(
      input, {"KeyConditionExpression", "FilterExpression", "ProjectionExpression"}, problems);
  if (problems.any()) return Err(problems.take());
  auto table = find_table(call.services, request.table_name);
  if (!table) return Err(std::move(table.error()));
  const auto& schema = (*table)->keys;

  read_filter(input, "QueryFilter", expressions, request, problems);
  request.projection = read_projection(input, expressions, problems);
  auto condition = read_key_condition(input, schema, expressions, problems);
  expressions.check_all_used(problems);
  check_select(input, request, problems);
  if (problems.any()) return Err(problems.take());
  if (request.filter) refuse_filter_on_key(input, schema, *request.filter, problems);
  auto encoded = valid(expr::encoded_range(schema, *condition), problems);
  auto start = encode_start_key(request, schema, problems);
  if (problems.any()) return Err(problems.take());

  store::KeyRange range{std::move(encoded->from), false, std::move(encoded->to)};
  auto direction = forward ? store::Direction::ascending : store::Direction::descending;
  if (start) start_after(*start, direction, range, problems);
  if (problems.any()) return Err(problems.take());
  return read_page(call.services, **table, request, range, direction, {});
}

}  // namespace meridian::api::ops
