// The parse trees of expressions: plain structs, which are also what is evaluated.
//
// A parser fills them with placeholders unresolved (names of paths keep their "#", values are
// tokens); the checks resolve them in place.  Evaluation sees resolved trees only.
// Limits: nesting is bounded by the parser (kConditionDepthMax), so recursion over them is safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "region-node/expr/path.h"
#include "region-node/model/attribute_value.h"

namespace meridian::expr {

enum class Function {
  attribute_exists,
  attribute_not_exists,
  attribute_type,
  begins_with,
  contains,
  size,
  if_not_exists,
  list_append,
};

struct Operand {
  enum class Kind { path, value, function };
  Kind kind = Kind::path;
  Path path;
  // Not null once resolved.  All uses of one placeholder share it: they may be many, and it large.
  std::shared_ptr<const model::AttributeValue> value;
  Function function = Function::size;
  std::vector<Operand> arguments;
  std::string token;  // ":value" or the function's name, as written
};

enum class ConditionKind {
  and_,
  or_,
  not_,
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  between,
  in,
  function,
};

struct ConditionNode {
  ConditionKind kind = ConditionKind::and_;
  std::vector<ConditionNode> children;  // of and_, or_, not_
  std::vector<Operand> operands;        // of the others; a function is one operand
};

struct UpdateAction {
  enum class Kind { set, remove, add, delete_ };
  enum class Arithmetic { none, plus, minus };
  Kind kind = Kind::set;
  Path path;
  Operand operand;  // of set, add and delete_
  Arithmetic arithmetic = Arithmetic::none;
  Operand right;  // of plus and minus
};

struct UpdateActions {
  std::vector<UpdateAction> actions;
  // AttributeUpdates: ADD appends to lists, and errors have the older texts.
  bool legacy = false;
};

}  // namespace meridian::expr
