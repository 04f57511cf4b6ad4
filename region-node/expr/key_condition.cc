#include "region-node/expr/key_condition.h"

#include "region-node/expr/ast.h"
#include "region-node/expr/condition_parser.h"
#include "region-node/expr/legacy.h"
#include "region-node/expr/resolver.h"
#include "region-node/model/key.h"

namespace meridian::expr {
namespace {

using Error = std::optional<std::string>;

// The comparison as KeyConditions names it.  REQUIRES: it may stand in a key condition.
ComparisonOperator legacy_operator(ConditionKind kind) {
  switch (kind) {
    case ConditionKind::equal: return ComparisonOperator::EQ;
    case ConditionKind::less: return ComparisonOperator::LT;
    case ConditionKind::less_or_equal: return ComparisonOperator::LE;
    case ConditionKind::greater: return ComparisonOperator::GT;
    case ConditionKind::greater_or_equal: return ComparisonOperator::GE;
    case ConditionKind::between: return ComparisonOperator::BETWEEN;
    default: return ComparisonOperator::BEGINS_WITH;
  }
}

// For a value on the left: 1 < a is a > 1.
ComparisonOperator mirrored(ComparisonOperator comparison) {
  switch (comparison) {
    case ComparisonOperator::LT: return ComparisonOperator::GT;
    case ComparisonOperator::LE: return ComparisonOperator::GE;
    case ComparisonOperator::GT: return ComparisonOperator::LT;
    case ComparisonOperator::GE: return ComparisonOperator::LE;
    default: return comparison;
  }
}

// Takes a condition's tree apart into one comparison per key attribute.
class Splitter {
 public:
  Error split(const ConditionNode& node) {
    switch (node.kind) {
      case ConditionKind::and_:
        for (const auto& child : node.children) {
          if (auto error = split(child)) return error;
        }
        return std::nullopt;
      case ConditionKind::or_: return refused("OR");
      case ConditionKind::not_: return refused("NOT");
      case ConditionKind::in: return refused("IN");
      case ConditionKind::not_equal: return refused("<>");
      case ConditionKind::function: return split_function(node);
      case ConditionKind::between:
        if (node.operands[0].kind != Operand::Kind::path) return not_first("BETWEEN");
        return take(node.kind, node.operands);
      default: return take(node.kind, node.operands);
    }
  }

  [[nodiscard]] const LegacyConditions& conditions() const { return conditions_; }

 private:
  static Error refused(const std::string& operation) {
    return "Invalid operator used in KeyConditionExpression: " + operation;
  }
  static Error not_first(const std::string& operation) {
    return "Invalid condition in KeyConditionExpression: " + operation +
           " operator must have the key attribute as its first operand";
  }

  Error split_function(const ConditionNode& node) {
    const Operand& function = node.operands[0];
    if (function.function != Function::begins_with) return refused(function.token);
    if (function.arguments[0].kind != Operand::Kind::path) return not_first(function.token);
    return take(node.kind, function.arguments);
  }

  Error take(ConditionKind kind, const std::vector<Operand>& operands) {
    const Operand* key = nullptr;
    LegacyCondition condition;
    condition.comparison = legacy_operator(kind);
    for (const auto& operand : operands) {
      if (operand.kind == Operand::Kind::function)
        return "KeyConditionExpressions cannot contain nested operations";
      if (operand.kind == Operand::Kind::value) {
        condition.values.push_back(*operand.value);
        continue;
      }
      if (key != nullptr) {
        return "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
               "condition";
      }
      if (!operand.path.steps.empty())
        return "KeyConditionExpressions cannot have conditions on nested attributes";
      key = &operand;
    }
    if (key == nullptr)
      return "Invalid condition in KeyConditionExpression: No key attribute specified";
    if (key != &operands.front()) condition.comparison = mirrored(condition.comparison);
    bool added = conditions_.emplace(key->path.attribute, std::move(condition)).second;
    if (!added) return "KeyConditionExpressions must only contain one condition per key";
    return std::nullopt;
  }

  LegacyConditions conditions_;
};

}  // namespace

Result<KeyCondition, std::string> parse_key_condition(std::string_view text,
                                                      const model::KeySchema& schema,
                                                      Placeholders& placeholders) {
  auto root = compile_condition(text, Parameter::key_condition, placeholders);
  if (!root.ok()) return Err(std::move(root).error());
  Splitter splitter;
  if (auto error = splitter.split(*root)) return Err(std::move(*error));
  return key_condition_from_legacy(splitter.conditions(), schema);
}

Result<EncodedRange, std::string> encoded_range(const model::KeySchema& schema,
                                                const KeyCondition& condition) {
  auto partition = model::encode_partition(schema, condition.partition);
  if (!partition.ok()) return Err(std::move(partition).error());
  EncodedRange range{*partition, model::prefix_end(*partition)};
  if (condition.sort_operator == SortOperator::any) return range;
  auto sort = model::encode_sort(schema, condition.sort);
  if (!sort.ok()) return Err(std::move(sort).error());
  Bytes at = *partition + *sort;
  Bytes after = at + '\0';  // nothing lies between: the first key that is greater
  switch (condition.sort_operator) {
    case SortOperator::any: break;
    case SortOperator::equal: return EncodedRange{std::move(at), std::move(after)};
    case SortOperator::less: range.to = std::move(at); break;
    case SortOperator::less_or_equal: range.to = std::move(after); break;
    case SortOperator::greater: range.from = std::move(after); break;
    case SortOperator::greater_or_equal: range.from = std::move(at); break;
    case SortOperator::begins_with: return EncodedRange{at, model::prefix_end(at)};
    case SortOperator::between: {
      auto upper = model::encode_sort(schema, condition.upper);
      if (!upper.ok()) return Err(std::move(upper).error());
      return EncodedRange{std::move(at), *partition + *upper + '\0'};
    }
  }
  return range;
}

}  // namespace meridian::expr
