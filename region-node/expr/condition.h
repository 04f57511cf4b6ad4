// Condition: a compiled condition or filter, true or false for an item.
//
// Everything is parsed and checked before evaluation, placeholders are replaced; evaluation is pure.
// A comparison with a missing attribute or between different types is false (<> is true), as in
// DynamoDB; it never fails.
// Threads: immutable and cheap to copy; any thread may evaluate.
// Errors: texts of AWS's ValidationException.
// Limits: kExpressionBytesMax, kOperatorsMax, kConditionDepthMax.
// Source: DynamoDB developer guide, "Condition and filter expressions, operators, and functions".
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "region-node/expr/path.h"
#include "region-node/expr/placeholders.h"
#include "region-node/model/attribute_value.h"

namespace meridian::expr {

// Parentheses, NOTs and function calls inside each other.
inline constexpr std::size_t kConditionDepthMax = 300;

struct ConditionNode;

class Condition {
 public:
  // Always true.
  Condition() = default;
  explicit Condition(std::shared_ptr<const ConditionNode> root) : root_(std::move(root)) {}

  // `item`: the stored item; an empty one when there is none.
  [[nodiscard]] bool evaluate(const model::Item& item) const;
  // Top-level attributes that it reads.  (Query refuses a filter on key attributes.)
  [[nodiscard]] std::set<std::string> attributes() const;
  // All paths that it reads, for check_key_paths().
  [[nodiscard]] std::vector<Path> paths() const;

 private:
  std::shared_ptr<const ConditionNode> root_;
};

// `parameter`: condition or filter.
Result<Condition, std::string> parse_condition(std::string_view text, Parameter parameter,
                                               Placeholders& placeholders);

}  // namespace meridian::expr
