#include "region-node/api/legacy_json.h"

#include <algorithm>

#include "region-node/api/constraints.h"
#include "region-node/api/wire_json.h"

namespace meridian::api {
namespace {

std::optional<expr::ComparisonOperator> read_comparison(JsonValue json, Problems& problems) {
  auto name = json.text(problems);
  if (!name) return std::nullopt;
  auto found = expr::parse_comparison_operator(*name);
  if (found) return found;
  Constraints constraints;
  constraints.one_of(*name, "comparisonOperator",
                     {"IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE",
                      "LE", "BEGINS_WITH", "GE", "CONTAINS"});
  constraints.finish(problems);
  return std::nullopt;
}

std::optional<std::vector<model::AttributeValue>> read_value_list(JsonValue json,
                                                                  Problems& problems) {
  auto array = json.array(problems);
  if (!array) return std::nullopt;
  std::vector<model::AttributeValue> out;
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto value = read_required_value(array->at(i), problems);
    if (!value) return std::nullopt;
    out.push_back(std::move(*value));
  }
  return out;
}

// Calls `read` with the name and the object of each member.
template <typename Read>
bool each_member(JsonValue json, Problems& problems, Read read) {
  auto object = json.object(problems);
  if (!object) return false;
  for (std::size_t i = 0; i < object->size(); ++i) {
    if (!name_fits(object->name_at(i), problems)) return false;
    auto member = object->value_at(i).object(problems);
    if (!member && !problems.any()) {
      problems.report(ApiError::validation("The value of " + std::string(object->name_at(i)) +
                                           " must not be null"));
    }
    if (!member) return false;
    read(object->name_at(i), *member);
  }
  return !problems.any();
}

}  // namespace

std::optional<expr::LegacyExpectations> read_expected(JsonValue json, Problems& problems) {
  expr::LegacyExpectations out;
  bool read = each_member(json, problems, [&](std::string_view name, const JsonObject& member) {
    expr::LegacyExpected expected;
    expected.comparison = read_comparison(member.get("ComparisonOperator"), problems);
    expected.values = read_value_list(member.get("AttributeValueList"), problems);
    expected.value = read_value(member.get("Value"), problems);
    expected.exists = member.get("Exists").boolean(problems);
    out.emplace(name, std::move(expected));
  });
  return read ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<expr::LegacyUpdates> read_attribute_updates(JsonValue json, Problems& problems) {
  expr::LegacyUpdates out;
  bool read = each_member(json, problems, [&](std::string_view name, const JsonObject& member) {
    expr::LegacyUpdate update;
    if (auto action = member.get("Action").text(problems)) {
      auto found = expr::parse_legacy_action(*action);
      Constraints constraints;
      constraints.one_of(*action, "attributeUpdates." + std::string(name) + ".member.action",
                         {"ADD", "DELETE", "PUT"});
      constraints.finish(problems);
      update.action = found.value_or(expr::LegacyAction::PUT);
    }
    update.value = read_value(member.get("Value"), problems);
    out.emplace(name, std::move(update));
  });
  return read ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<expr::LegacyConditions> read_conditions(JsonValue json, Problems& problems) {
  expr::LegacyConditions out;
  bool read = each_member(json, problems, [&](std::string_view name, const JsonObject& member) {
    auto comparison = read_comparison(member.get("ComparisonOperator"), problems);
    if (!comparison && !problems.any()) {
      Constraints constraints;
      constraints.required(false, "comparisonOperator");
      constraints.finish(problems);
    }
    auto values = read_value_list(member.get("AttributeValueList"), problems);
    if (!comparison) return;
    out.emplace(name,
                expr::LegacyCondition{
                    *comparison, std::move(values).value_or(std::vector<model::AttributeValue>())});
  });
  return read ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::vector<std::string>> read_attributes_to_get(JsonValue json, Problems& problems) {
  auto array = json.array(problems);
  if (!array) return std::nullopt;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < array->size(); ++i)
    out.emplace_back(array->at(i).text(problems).value_or(""));
  if (out.empty()) {
    Constraints constraints;
    constraints.fail("[]", "attributesToGet", "have length greater than or equal to 1");
    constraints.finish(problems);
  }
  auto sorted = out;
  std::sort(sorted.begin(), sorted.end());
  auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    problems.report(ApiError::validation(
        "One or more parameter values were invalid: Duplicate value in attribute name: " + *twice));
  }
  return problems.any() ? std::nullopt : std::optional(std::move(out));
}

expr::ConditionalOperator read_conditional_operator(const JsonObject& input, std::string_view user,
                                                    Problems& problems) {
  auto name = input.get("ConditionalOperator").text(problems);
  if (!name) return expr::ConditionalOperator::and_;
  Constraints constraints;
  constraints.one_of(*name, "conditionalOperator", {"OR", "AND"});
  constraints.finish(problems);
  auto conditions = input.get(user).object(problems);
  if (!conditions || conditions->size() == 0) {
    problems.report(
        ApiError::validation("ConditionalOperator cannot be used without Filter or Expected"));
  } else if (conditions->size() == 1) {
    problems.report(
        ApiError::validation("ConditionalOperator can only be used when Filter or Expected has two "
                             "or more elements"));
  }
  return *name == "OR" ? expr::ConditionalOperator::or_ : expr::ConditionalOperator::and_;
}

}  // namespace meridian::api
