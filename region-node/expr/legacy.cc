#include "region-node/expr/legacy.h"

#include <array>
#include <set>

#include "region-node/expr/ast.h"
#include "region-node/expr/compare.h"

namespace meridian::expr {
namespace {

using model::AttributeType;
using model::AttributeValue;
using Error = std::optional<std::string>;

constexpr std::array<const char*, 13> kComparisonNames = {
    "EQ",      "NE",       "IN",   "LE",       "LT",           "GE",         "GT",
    "BETWEEN", "NOT_NULL", "NULL", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH"};

const char* comparison_name(ComparisonOperator comparison) {
  return kComparisonNames[static_cast<std::size_t>(comparison)];
}

bool right_count(ComparisonOperator comparison, std::size_t count) {
  switch (comparison) {
    case ComparisonOperator::NULL_:
    case ComparisonOperator::NOT_NULL: return count == 0;
    case ComparisonOperator::BETWEEN: return count == 2;
    case ComparisonOperator::IN: return count > 0;
    default: return count == 1;
  }
}

bool takes_type(ComparisonOperator comparison, AttributeType type) {
  switch (comparison) {
    case ComparisonOperator::EQ:
    case ComparisonOperator::NE: return true;
    case ComparisonOperator::BEGINS_WITH:
      return type == AttributeType::S || type == AttributeType::B;
    default: return is_ordered(type);
  }
}

Error check_comparison(ComparisonOperator comparison, const std::vector<AttributeValue>& values) {
  if (!right_count(comparison, values.size())) {
    return std::string(kInvalidValues) + "Invalid number of argument(s) for the " +
           comparison_name(comparison) + " ComparisonOperator";
  }
  for (const auto& value : values) {
    if (value.type() != values.front().type())
      return std::string(kInvalidValues) +
             "AttributeValues inside AttributeValueList must be of same type";
  }
  for (const auto& value : values) {
    if (!takes_type(comparison, value.type())) {
      return std::string(kInvalidValues) + "ComparisonOperator " + comparison_name(comparison) +
             " is not valid for " + model::type_name(value.type()) + " AttributeValue type";
    }
  }
  if (comparison == ComparisonOperator::BETWEEN &&
      compare_values(values[0], values[1]) == std::strong_ordering::greater) {
    return "The BETWEEN condition was provided a range where the lower bound is greater than the "
           "upper bound";
  }
  return std::nullopt;
}

Operand path_operand(const std::string& attribute) {
  Operand operand;
  operand.kind = Operand::Kind::path;
  operand.path.attribute = attribute;
  return operand;
}

Operand value_operand(const AttributeValue& value) {
  Operand operand;
  operand.kind = Operand::Kind::value;
  operand.value = std::make_shared<const AttributeValue>(value);
  return operand;
}

ConditionNode function_node(Function function, const std::string& attribute,
                            const std::vector<AttributeValue>& values) {
  Operand call;
  call.kind = Operand::Kind::function;
  call.function = function;
  call.arguments.push_back(path_operand(attribute));
  for (const auto& value : values) call.arguments.push_back(value_operand(value));
  ConditionNode node;
  node.kind = ConditionKind::function;
  node.operands.push_back(std::move(call));
  return node;
}

ConditionNode operator_node(ConditionKind kind, const std::string& attribute,
                            const std::vector<AttributeValue>& values) {
  ConditionNode node;
  node.kind = kind;
  node.operands.push_back(path_operand(attribute));
  for (const auto& value : values) node.operands.push_back(value_operand(value));
  return node;
}

// NOT_CONTAINS is false, too, where there is no attribute.
ConditionNode not_contains_node(const std::string& attribute,
                                const std::vector<AttributeValue>& values) {
  ConditionNode negated;
  negated.kind = ConditionKind::not_;
  negated.children.push_back(function_node(Function::contains, attribute, values));
  ConditionNode node;
  node.kind = ConditionKind::and_;
  node.children.push_back(function_node(Function::attribute_exists, attribute, {}));
  node.children.push_back(std::move(negated));
  return node;
}

// REQUIRES: checked by check_comparison().
ConditionNode comparison_node(ComparisonOperator comparison, const std::string& attribute,
                              const std::vector<AttributeValue>& values) {
  switch (comparison) {
    case ComparisonOperator::EQ: return operator_node(ConditionKind::equal, attribute, values);
    case ComparisonOperator::NE: return operator_node(ConditionKind::not_equal, attribute, values);
    case ComparisonOperator::IN: return operator_node(ConditionKind::in, attribute, values);
    case ComparisonOperator::LE:
      return operator_node(ConditionKind::less_or_equal, attribute, values);
    case ComparisonOperator::LT: return operator_node(ConditionKind::less, attribute, values);
    case ComparisonOperator::GE:
      return operator_node(ConditionKind::greater_or_equal, attribute, values);
    case ComparisonOperator::GT: return operator_node(ConditionKind::greater, attribute, values);
    case ComparisonOperator::BETWEEN:
      return operator_node(ConditionKind::between, attribute, values);
    case ComparisonOperator::NOT_NULL:
      return function_node(Function::attribute_exists, attribute, {});
    case ComparisonOperator::NULL_:
      return function_node(Function::attribute_not_exists, attribute, {});
    case ComparisonOperator::CONTAINS: return function_node(Function::contains, attribute, values);
    case ComparisonOperator::NOT_CONTAINS: return not_contains_node(attribute, values);
    case ComparisonOperator::BEGINS_WITH: break;
  }
  return function_node(Function::begins_with, attribute, values);
}

Condition joined(std::vector<ConditionNode> nodes, ConditionalOperator conditional) {
  if (nodes.empty()) return Condition();
  ConditionNode root;
  root.kind = conditional == ConditionalOperator::or_ ? ConditionKind::or_ : ConditionKind::and_;
  root.children = std::move(nodes);
  return Condition(std::make_shared<const ConditionNode>(std::move(root)));
}

Error check_expected(const std::string& name, const LegacyExpected& expected) {
  const std::string attribute = " for Attribute: " + name;
  if (expected.values && expected.value)
    return kInvalidValues + ("Value and AttributeValueList cannot be used together" + attribute);
  if (expected.comparison) {
    if (expected.exists)
      return kInvalidValues + ("Exists and ComparisonOperator cannot be used together" + attribute);
    bool needs_values = *expected.comparison != ComparisonOperator::NULL_ &&
                        *expected.comparison != ComparisonOperator::NOT_NULL;
    if (needs_values && !expected.values && !expected.value) {
      return std::string(kInvalidValues) +
             "Value or AttributeValueList must be used with ComparisonOperator: " +
             comparison_name(*expected.comparison) + attribute;
    }
    return std::nullopt;
  }
  if (expected.values) {
    return kInvalidValues +
           ("AttributeValueList can only be used with a ComparisonOperator" + attribute);
  }
  if (expected.exists.value_or(true) && !expected.value) {
    return std::string(kInvalidValues) + "Value must be provided when Exists is " +
           (expected.exists ? "true" : "null") + attribute;
  }
  if (!expected.exists.value_or(true) && expected.value)
    return kInvalidValues + ("Value cannot be used when Exists is false" + attribute);
  return std::nullopt;
}

}  // namespace

std::optional<ComparisonOperator> parse_comparison_operator(std::string_view name) {
  for (std::size_t i = 0; i < kComparisonNames.size(); ++i) {
    if (name == kComparisonNames[i]) return static_cast<ComparisonOperator>(i);
  }
  return std::nullopt;
}

Result<Condition, std::string> condition_from_expected(const LegacyExpectations& expected,
                                                       ConditionalOperator conditional) {
  std::vector<ConditionNode> nodes;
  for (const auto& [name, expectation] : expected) {
    if (auto error = check_expected(name, expectation)) return Err(std::move(*error));
    std::vector<AttributeValue> values;
    if (expectation.value) values.push_back(*expectation.value);
    if (expectation.values) values = *expectation.values;
    auto comparison = values.empty() ? ComparisonOperator::NULL_ : ComparisonOperator::EQ;
    if (expectation.comparison) comparison = *expectation.comparison;
    if (auto error = check_comparison(comparison, values)) return Err(std::move(*error));
    nodes.push_back(comparison_node(comparison, name, values));
  }
  return joined(std::move(nodes), conditional);
}

Result<Condition, std::string> condition_from_filter(const LegacyConditions& filter,
                                                     ConditionalOperator conditional) {
  std::vector<ConditionNode> nodes;
  for (const auto& [name, condition] : filter) {
    if (auto error = check_comparison(condition.comparison, condition.values))
      return Err(std::move(*error));
    nodes.push_back(comparison_node(condition.comparison, name, condition.values));
  }
  return joined(std::move(nodes), conditional);
}

namespace {

// Empty where the operator finds nothing in an ordered index.
std::optional<SortOperator> sort_operator(ComparisonOperator comparison) {
  switch (comparison) {
    case ComparisonOperator::EQ: return SortOperator::equal;
    case ComparisonOperator::LE: return SortOperator::less_or_equal;
    case ComparisonOperator::LT: return SortOperator::less;
    case ComparisonOperator::GE: return SortOperator::greater_or_equal;
    case ComparisonOperator::GT: return SortOperator::greater;
    case ComparisonOperator::BETWEEN: return SortOperator::between;
    case ComparisonOperator::BEGINS_WITH: return SortOperator::begins_with;
    default: return std::nullopt;
  }
}

Error check_key_comparison(const model::KeyAttribute& attribute, const LegacyCondition& condition) {
  if (!sort_operator(condition.comparison))
    return "Attempted conditional constraint is not an indexable operation";
  for (const auto& value : condition.values) {
    if (value.type() != attribute.type)
      return std::string(kInvalidValues) + "Condition parameter type does not match schema type";
  }
  return std::nullopt;
}

}  // namespace

Result<KeyCondition, std::string> key_condition_from_legacy(const LegacyConditions& conditions,
                                                            const model::KeySchema& schema) {
  for (const auto& [name, condition] : conditions) {
    if (auto error = check_comparison(condition.comparison, condition.values))
      return Err(std::move(*error));
  }
  if (conditions.empty() || conditions.size() > 2)
    return Err(std::string("Conditions can be of length 1 or 2 only"));
  if (!schema.sort && conditions.size() > 1)
    return Err(std::string("Query key condition not supported"));

  const std::string missed = "Query condition missed key schema element: ";
  auto partition = conditions.find(schema.partition.name);
  if (partition == conditions.end()) return Err(missed + schema.partition.name);
  if (auto error = check_key_comparison(schema.partition, partition->second))
    return Err(std::move(*error));
  if (partition->second.comparison != ComparisonOperator::EQ)
    return Err(std::string("Query key condition not supported"));
  KeyCondition out;
  out.partition = partition->second.values.front();
  if (conditions.size() == 1) return out;

  auto sort = conditions.find(schema.sort->name);
  if (sort == conditions.end()) return Err(missed + schema.sort->name);
  if (auto error = check_key_comparison(*schema.sort, sort->second)) return Err(std::move(*error));
  out.sort_operator = *sort_operator(sort->second.comparison);
  out.sort = sort->second.values.front();
  if (out.sort_operator == SortOperator::between) out.upper = sort->second.values.back();
  return out;
}

Result<Projection, std::string> projection_from_attributes(
    const std::vector<std::string>& attributes) {
  std::set<std::string_view> seen;
  std::vector<Path> paths;
  for (const auto& attribute : attributes) {
    if (!seen.insert(attribute).second)
      return Err(std::string(kInvalidValues) + "Duplicate value in attribute name: " + attribute);
    paths.push_back(Path{attribute, {}});
  }
  return Projection(std::move(paths));
}

}  // namespace meridian::expr
