#include "region-node/api/request.h"

#include "region-node/api/arn.h"
#include "region-node/api/legacy_json.h"
#include "region-node/api/wire_json.h"

namespace meridian::api {
namespace {

std::string listed(const JsonObject& input, std::initializer_list<std::string_view> members) {
  std::string out;
  for (auto member : members) {
    if (!input.get(member).present()) continue;
    if (!out.empty()) out += ", ";
    out += member;
  }
  return out;
}

// ": A is null", ": A and B are null", with what could have used values.  AWS says no more where a
// key condition could have.
std::string all_null(std::initializer_list<std::string_view> expressions) {
  std::string out;
  bool several = false;
  for (auto expression : expressions) {
    if (expression == "KeyConditionExpression") return {};
    if (expression == "ProjectionExpression") continue;
    several = !out.empty();
    out += several ? " and " : ": ";
    out += expression;
  }
  if (out.empty()) return {};
  return out + (several ? " are null" : " is null");
}

// ExpressionAttributeValues.  What is wrong with a value is told with its key.
std::optional<model::AttributeMap> read_values(JsonValue json, Problems& problems) {
  auto object = json.object(problems);
  if (!object) return std::nullopt;
  model::AttributeMap out;
  for (std::size_t i = 0; i < object->size(); ++i) {
    std::string key(object->name_at(i));
    Problems found;
    auto value = read_required_value(object->value_at(i), found);
    if (value) {
      out.emplace(std::move(key), std::move(*value));
      continue;
    }
    auto error = found.take();
    if (error.short_type() == "ValidationException") {
      error.message =
          "ExpressionAttributeValues contains invalid value: " + error.message + " for key " + key;
    }
    problems.report(std::move(error));
    return std::nullopt;
  }
  return out;
}

}  // namespace

std::string plain_table_name(const Services& services, std::string_view name, Problems& problems) {
  if (!name.starts_with("arn:")) return std::string(name);
  auto ref = parse_arn(name);
  if (!ref || !ref->label.empty()) {
    problems.report(ApiError::validation("Invalid table ARN: " + std::string(name)));
    return {};
  }
  if (ref->region != services.store.region().name()) {
    problems.report(ApiError::validation("Invalid table ARN: the table lies in region " +
                                         ref->region + ", this is " +
                                         std::string(services.store.region().name())));
  }
  return ref->table;
}

std::string read_table_name(const Call& call, Constraints& constraints, Problems& problems) {
  auto name = call.input.get("TableName").text(problems);
  constraints.required(name.has_value(), "tableName");
  if (!name) return {};
  auto plain = plain_table_name(call.services, *name, problems);
  if (!problems.any()) constraints.table_name(plain);
  return plain;
}

Result<store::TablePtr, ApiError> find_table(const Services& services, std::string_view name) {
  // As on AWS, a table that is still being created is not found by those who read and write items.
  auto table = services.store.catalog()->find(name);
  if (table && table->serves(services.store.region())) return table;
  return Err(ApiError::resource_not_found());
}

ApiError named_table_not_found(std::string_view name) {
  return ApiError::resource_not_found("Requested resource not found: Table: " + std::string(name) +
                                      " not found");
}

Result<store::TablePtr, ApiError> find_named_table(const Services& services,
                                                   std::string_view name) {
  if (auto table = services.store.catalog()->find(name)) return table;
  return Err(named_table_not_found(name));
}

void refuse_mixture(const JsonObject& input, std::initializer_list<std::string_view> old_members,
                    std::initializer_list<std::string_view> expressions, Problems& problems) {
  auto old_ones = listed(input, old_members);
  auto new_ones = listed(input, expressions);
  if (old_ones.empty() || new_ones.empty()) return;
  problems.report(ApiError::validation(
      "Can not use both expression and non-expression parameters in the same request: "
      "Non-expression parameters: {" +
      old_ones + "} Expression parameters: {" + new_ones + "}"));
}

ExpressionInput::ExpressionInput(const JsonObject& input,
                                 std::initializer_list<std::string_view> expressions,
                                 Problems& problems) {
  auto names = input.get("ExpressionAttributeNames").object(problems);
  auto values = read_values(input.get("ExpressionAttributeValues"), problems);
  bool none = listed(input, expressions).empty();
  if (names && none) {
    problems.report(ApiError::validation(
        "ExpressionAttributeNames can only be specified when using expressions"));
  }
  if (values && none) {
    problems.report(ApiError::validation(
        "ExpressionAttributeValues can only be specified when using expressions" +
        all_null(expressions)));
  }
  for (std::size_t i = 0; names && i < names->size(); ++i) {
    auto name = names->value_at(i).text(problems);
    names_.emplace(names->name_at(i), name.value_or(""));
  }
  if (values) values_ = std::move(*values);
  placeholders_.emplace(names ? &names_ : nullptr, values ? &values_ : nullptr);
  if (!problems.any()) check(placeholders_->check_maps(), problems);
}

std::optional<expr::Condition> read_write_condition(const JsonObject& input,
                                                    ExpressionInput& expressions,
                                                    Problems& problems) {
  auto text = input.get("ConditionExpression").text(problems);
  auto expected = read_expected(input.get("Expected"), problems);
  auto conditional = read_conditional_operator(input, "Expected", problems);
  if (problems.any()) return std::nullopt;
  if (expected) return valid(expr::condition_from_expected(*expected, conditional), problems);
  if (!text) return std::nullopt;
  return valid(expr::parse_condition(*text, expr::Parameter::condition, expressions.placeholders()),
               problems);
}

std::optional<expr::Projection> read_projection(const JsonObject& input,
                                                ExpressionInput& expressions, Problems& problems) {
  auto text = input.get("ProjectionExpression").text(problems);
  auto attributes = read_attributes_to_get(input.get("AttributesToGet"), problems);
  if (problems.any()) return std::nullopt;
  if (attributes) return valid(expr::projection_from_attributes(*attributes), problems);
  if (!text) return std::nullopt;
  return valid(expr::parse_projection(*text, expressions.placeholders()), problems);
}

}  // namespace meridian::api
