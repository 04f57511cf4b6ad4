// The checks of a parsed condition, in AWS's order.
#include "common/bytes.h"
#include "region-node/expr/compare.h"
#include "region-node/expr/condition_parser.h"
#include "region-node/expr/resolver.h"
#include "region-node/model/attribute_value.h"

namespace meridian::expr {
namespace {

using model::AttributeType;
using model::AttributeValue;

// Values that one IN may list.
constexpr std::size_t kInValuesMax = 100;

const char* operator_text(ConditionKind kind) {
  switch (kind) {
    case ConditionKind::equal: return "=";
    case ConditionKind::not_equal: return "<>";
    case ConditionKind::less: return "<";
    case ConditionKind::less_or_equal: return "<=";
    case ConditionKind::greater: return ">";
    case ConditionKind::greater_or_equal: return ">=";
    case ConditionKind::between: return "BETWEEN";
    case ConditionKind::in: return "IN";
    case ConditionKind::and_:
    case ConditionKind::or_:
    case ConditionKind::not_:
    case ConditionKind::function: break;
  }
  return "";
}

bool needs_order(ConditionKind kind) {
  return kind == ConditionKind::less || kind == ConditionKind::less_or_equal ||
         kind == ConditionKind::greater || kind == ConditionKind::greater_or_equal ||
         kind == ConditionKind::between;
}

bool is_path(const Operand& operand) { return operand.kind == Operand::Kind::path; }
bool is_value(const Operand& operand) { return operand.kind == Operand::Kind::value; }

// "AttributeValue: {S:abc}"; REQUIRES: an ordered type.
std::string shown(const AttributeValue& value) {
  std::string text = std::string("AttributeValue: {") + model::type_name(value.type()) + ":";
  if (const auto* string = value.as<model::StringValue>()) text += string->text;
  if (const auto* number = value.as<model::NumberValue>()) text += number->text;
  if (const auto* binary = value.as<model::BinaryValue>()) text += to_base64(binary->bytes);
  return text + "}";
}

class ConditionCheck {
 public:
  ConditionCheck(Findings& findings, Placeholders& placeholders)
      : findings_(findings), resolver_(placeholders) {}

  void visit(ConditionNode& node) {
    for (auto& child : node.children) visit(child);
    if (!node.children.empty()) return;
    check_use(node);
    Findings leaf;
    for (auto& operand : node.operands) resolve(operand, leaf);
    if (node.kind != ConditionKind::function) check_operator(node, leaf);
    auto error = leaf.first({Mistake::undefined_name, Mistake::operand_count,
                             Mistake::same_operands, Mistake::operand_type});
    if (error) findings_.note(Mistake::condition, std::move(*error));
  }

 private:
  // Which functions there are, where they stand, and reserved words.
  void check_use(const ConditionNode& node) {
    for (const auto& operand : node.operands) check_operand_use(operand);
    for (const auto& operand : node.operands) {
      bool whole = node.kind == ConditionKind::function;
      bool misused = operand.kind == Operand::Kind::function && (operand.token == "size") == whole;
      if (misused) note_misuse(operand);
    }
  }

  void check_operand_use(const Operand& operand) {
    if (is_path(operand)) Resolver::check_reserved(operand.path, findings_);
    if (operand.kind != Operand::Kind::function) return;
    for (const auto& argument : operand.arguments) {
      check_operand_use(argument);
      if (argument.kind == Operand::Kind::function && argument.token != "size")
        note_misuse(argument);
    }
    const FunctionInfo* info = find_function(operand.token);
    if (info == nullptr) {
      findings_.note(Mistake::unknown_function,
                     "Invalid function name; function: " + operand.token);
    } else if (!info->in_conditions) {
      findings_.note(
          Mistake::unknown_function,
          "The function is not allowed in a condition expression; function: " + operand.token);
    }
  }

  void note_misuse(const Operand& function) {
    findings_.note(Mistake::misused_function,
                   "The function is not allowed to be used this way in an expression; function: " +
                       function.token);
  }

  // Resolves an operand and checks the functions in it, innermost first.
  void resolve(Operand& operand, Findings& leaf) {
    if (is_path(operand)) {
      resolver_.resolve(operand.path, leaf);
      return;
    }
    if (is_value(operand)) {
      // In conditions an undefined value is as early a mistake as an undefined name.
      Findings values;
      resolver_.resolve_value(operand, values);
      if (auto error = values.first({Mistake::undefined_value}))
        leaf.note(Mistake::undefined_name, std::move(*error));
      return;
    }
    for (auto& argument : operand.arguments) resolve(argument, leaf);
    const FunctionInfo* info = find_function(operand.token);
    if (info == nullptr) return;
    operand.function = info->function;
    if (operand.arguments.size() != info->operand_count) {
      leaf.note(Mistake::operand_count, wrong_count(operand.token, operand.arguments.size()));
      return;
    }
    check_distinct(operand.token, operand.arguments, leaf);
    check_function(operand, leaf);
  }

  static void check_distinct(const std::string& operation, const std::vector<Operand>& operands,
                             Findings& leaf) {
    bool same = operands.size() == 2 && is_path(operands[0]) && is_path(operands[1]) &&
                operands[0].path == operands[1].path;
    if (!same) return;
    leaf.note(Mistake::same_operands,
              "The first operand must be distinct from the remaining operands for this operator or "
              "function; operator: " +
                  operation + ", first operand: " + to_text(operands[0].path));
  }

  static void check_function(const Operand& function, Findings& leaf) {
    switch (function.function) {
      case Function::attribute_exists:
      case Function::attribute_not_exists:
        if (!is_path(function.arguments[0]))
          leaf.note(Mistake::operand_type, needs_path(function.token));
        break;
      case Function::attribute_type: check_attribute_type(function, leaf); break;
      case Function::begins_with:
        for (const auto& argument : function.arguments) {
          auto type = known_type(argument);
          if (type && *type != AttributeType::S && *type != AttributeType::B)
            leaf.note(Mistake::operand_type, wrong_type(function.token, model::type_name(*type)));
        }
        break;
      case Function::size: check_size(function, leaf); break;
      case Function::contains:
      case Function::if_not_exists:
      case Function::list_append: break;
    }
  }

  static void check_size(const Operand& function, Findings& leaf) {
    auto type = known_type(function.arguments[0]);
    bool sizeless =
        type == AttributeType::N || type == AttributeType::BOOL || type == AttributeType::NULL_;
    if (sizeless) leaf.note(Mistake::operand_type, wrong_type("size", model::type_name(*type)));
  }

  static void check_attribute_type(const Operand& function, Findings& leaf) {
    const Operand& wanted = function.arguments[1];
    auto type = known_type(wanted);
    if (type != AttributeType::S) {
      const char* text = type ? model::type_name(*type) : "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";
      leaf.note(Mistake::operand_type, wrong_type(function.token, text));
      return;
    }
    const std::string& name = wanted.value->as<model::StringValue>()->text;
    for (auto each : {AttributeType::S, AttributeType::N, AttributeType::B, AttributeType::BOOL,
                      AttributeType::NULL_, AttributeType::M, AttributeType::L, AttributeType::SS,
                      AttributeType::NS, AttributeType::BS}) {
      if (name == model::type_name(each)) return;
    }
    leaf.note(Mistake::operand_type, "Invalid attribute type name found; type: " + name +
                                         ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}");
  }

  static void check_operator(const ConditionNode& node, Findings& leaf) {
    const char* text = operator_text(node.kind);
    if (node.kind == ConditionKind::in && node.operands.size() > kInValuesMax + 1)
      leaf.note(Mistake::operand_count, wrong_count(text, node.operands.size()));
    if (node.kind != ConditionKind::in && node.kind != ConditionKind::between)
      check_distinct(text, node.operands, leaf);
    if (!needs_order(node.kind)) return;
    for (const auto& operand : node.operands) {
      auto type = known_type(operand);
      if (type && !is_ordered(*type))
        leaf.note(Mistake::operand_type, wrong_type(text, model::type_name(*type)));
    }
    if (node.kind == ConditionKind::between) check_bounds(node.operands[1], node.operands[2], leaf);
  }

  static void check_bounds(const Operand& lower, const Operand& upper, Findings& leaf) {
    if (!is_value(lower) || !is_value(upper)) return;
    if (!is_ordered(lower.value->type()) || !is_ordered(upper.value->type())) return;
    std::string bounds = "lower bound operand: " + shown(*lower.value) +
                         ", upper bound operand: " + shown(*upper.value);
    auto order = compare_values(*lower.value, *upper.value);
    if (!order) {
      leaf.note(
          Mistake::operand_type,
          "The BETWEEN operator requires same data type for lower and upper bounds; " + bounds);
    } else if (*order > 0) {
      leaf.note(Mistake::operand_type,
                "The BETWEEN operator requires upper bound to be greater than or equal to lower "
                "bound; " +
                    bounds);
    }
  }

  Findings& findings_;
  Resolver resolver_;
};

}  // namespace

std::optional<std::string> check_condition(ConditionNode& root, Findings& findings,
                                           Placeholders& placeholders) {
  ConditionCheck(findings, placeholders).visit(root);
  return findings.first({Mistake::limit, Mistake::parentheses, Mistake::unknown_function,
                         Mistake::misused_function, Mistake::reserved_word, Mistake::condition});
}

}  // namespace meridian::expr
