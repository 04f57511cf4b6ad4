#include "region-node/expr/condition.h"

#include <algorithm>

#include "common/check.h"
#include "region-node/expr/ast.h"
#include "region-node/expr/compare.h"
#include "region-node/expr/condition_parser.h"

namespace meridian::expr {
namespace {

using model::AttributeValue;
using model::Item;

// The operand's value in the item; null when there is none.  `scratch` keeps a computed one.
const AttributeValue* value_of(const Operand& operand, const Item& item, AttributeValue& scratch) {
  switch (operand.kind) {
    case Operand::Kind::path: return find_value(item, operand.path);
    case Operand::Kind::value: return operand.value.get();
    case Operand::Kind::function: break;
  }
  MERIDIAN_CHECK(operand.function == Function::size);
  AttributeValue inner;
  const AttributeValue* measured = value_of(operand.arguments[0], item, inner);
  if (measured == nullptr) return nullptr;
  auto size = size_of(*measured);
  if (!size) return nullptr;
  scratch = model::NumberValue{std::to_string(*size)};
  return &scratch;
}

bool matches_order(ConditionKind kind, std::strong_ordering order) {
  switch (kind) {
    case ConditionKind::less: return order < 0;
    case ConditionKind::less_or_equal: return order <= 0;
    case ConditionKind::greater: return order > 0;
    default: return order >= 0;
  }
}

bool evaluate_between(const std::vector<Operand>& operands, const Item& item,
                      const AttributeValue& value) {
  AttributeValue scratch;
  const AttributeValue* bound = value_of(operands[1], item, scratch);
  if (bound == nullptr) return false;
  auto lower = compare_values(value, *bound);
  if (!lower || *lower < 0) return false;
  bound = value_of(operands[2], item, scratch);
  if (bound == nullptr) return false;
  auto upper = compare_values(value, *bound);
  return upper && *upper <= 0;
}

bool evaluate_in(const std::vector<Operand>& operands, const Item& item,
                 const AttributeValue& value) {
  return std::any_of(operands.begin() + 1, operands.end(), [&](const Operand& operand) {
    AttributeValue scratch;
    const AttributeValue* other = value_of(operand, item, scratch);
    return other != nullptr && *other == value;
  });
}

bool evaluate_comparison(const ConditionNode& node, const Item& item) {
  AttributeValue scratch;
  const AttributeValue* left = value_of(node.operands[0], item, scratch);
  // Nothing equals what is not there, not even something else that is not there.
  if (left == nullptr) return node.kind == ConditionKind::not_equal;
  if (node.kind == ConditionKind::between) return evaluate_between(node.operands, item, *left);
  if (node.kind == ConditionKind::in) return evaluate_in(node.operands, item, *left);
  AttributeValue right_scratch;
  const AttributeValue* right = value_of(node.operands[1], item, right_scratch);
  if (right == nullptr) return node.kind == ConditionKind::not_equal;
  if (node.kind == ConditionKind::equal) return *left == *right;
  if (node.kind == ConditionKind::not_equal) return !(*left == *right);
  auto order = compare_values(*left, *right);
  return order && matches_order(node.kind, *order);
}

bool evaluate_function(const Operand& function, const Item& item) {
  AttributeValue scratch;
  const AttributeValue* first = value_of(function.arguments[0], item, scratch);
  if (function.function == Function::attribute_exists) return first != nullptr;
  if (function.function == Function::attribute_not_exists) return first == nullptr;
  if (first == nullptr) return false;
  AttributeValue second_scratch;
  const AttributeValue* second = value_of(function.arguments[1], item, second_scratch);
  if (second == nullptr) return false;
  switch (function.function) {
    case Function::attribute_type:
      return second->as<model::StringValue>()->text == model::type_name(first->type());
    case Function::begins_with: return begins_with(*first, *second);
    case Function::contains: return contains(*first, *second);
    default: MERIDIAN_CHECK(false);
  }
  return false;
}

bool evaluate_node(const ConditionNode& node, const Item& item) {
  auto holds = [&item](const ConditionNode& child) { return evaluate_node(child, item); };
  const auto& children = node.children;
  switch (node.kind) {
    case ConditionKind::and_: return std::all_of(children.begin(), children.end(), holds);
    case ConditionKind::or_: return std::any_of(children.begin(), children.end(), holds);
    case ConditionKind::not_: return !holds(children.front());
    case ConditionKind::function: return evaluate_function(node.operands[0], item);
    default: return evaluate_comparison(node, item);
  }
}

void collect_paths(const Operand& operand, std::vector<Path>& out) {
  if (operand.kind == Operand::Kind::path) out.push_back(operand.path);
  for (const auto& argument : operand.arguments) collect_paths(argument, out);
}

void collect_paths(const ConditionNode& node, std::vector<Path>& out) {
  for (const auto& child : node.children) collect_paths(child, out);
  for (const auto& operand : node.operands) collect_paths(operand, out);
}

}  // namespace

bool Condition::evaluate(const Item& item) const {
  return root_ == nullptr || evaluate_node(*root_, item);
}

std::vector<Path> Condition::paths() const {
  std::vector<Path> out;
  if (root_ != nullptr) collect_paths(*root_, out);
  return out;
}

std::set<std::string> Condition::attributes() const {
  std::set<std::string> out;
  for (auto& path : paths()) out.insert(std::move(path.attribute));
  return out;
}

Result<Condition, std::string> parse_condition(std::string_view text, Parameter parameter,
                                               Placeholders& placeholders) {
  auto root = compile_condition(text, parameter, placeholders);
  if (!root.ok()) return Err(std::move(root).error());
  return Condition(std::make_shared<const ConditionNode>(std::move(root).value()));
}

}  // namespace meridian::expr
