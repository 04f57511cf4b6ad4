#include "region-node/expr/condition_parser.h"

#include <optional>

#include "common/check.h"
#include "region-node/expr/syntax.h"

namespace meridian::expr {
namespace {

struct Comparator {
  std::string_view symbol;
  ConditionKind kind;
};
constexpr Comparator kComparators[] = {
    {"=", ConditionKind::equal},   {"<>", ConditionKind::not_equal},
    {"<", ConditionKind::less},    {"<=", ConditionKind::less_or_equal},
    {">", ConditionKind::greater}, {">=", ConditionKind::greater_or_equal},
};

// A parenthesis may open a condition or an operand, and which one shows only later; so parts are
// parsed to either.
struct Part {
  std::optional<Operand> operand;
  std::optional<ConditionNode> node;
  bool parenthesised = false;  // nothing but a group in parentheses
};

// Whether a lone operand may stand here, to be compared after the parenthesis closes.
enum class Lone { allowed, refused };

ConditionNode parent(ConditionKind kind, ConditionNode first) {
  ConditionNode node;
  node.kind = kind;
  node.children.push_back(std::move(first));
  return node;
}

class ConditionParser : public Syntax {
 public:
  explicit ConditionParser(std::string_view text)
      : Syntax(text, {"AND", "OR", "NOT", "BETWEEN", "IN"}, GroupedPaths::allowed) {}

  bool parse(ConditionNode& out) {
    Part part;
    if (!parse_or(part, Lone::refused) || !expect_end()) return false;
    MERIDIAN_CHECK(part.node.has_value());
    out = std::move(*part.node);
    return true;
  }

 private:
  bool parse_or(Part& out, Lone lone) {
    if (!parse_and(out, lone)) return false;
    if (!is_keyword("OR")) return true;
    out.node = parent(ConditionKind::or_, std::move(*out.node));
    out.parenthesised = false;
    while (accept_keyword("OR")) {
      Part next;
      if (!parse_and(next, Lone::refused)) return false;
      out.node->children.push_back(std::move(*next.node));
    }
    return true;
  }

  bool parse_and(Part& out, Lone lone) {
    if (!parse_not(out, lone)) return false;
    if (!is_keyword("AND")) return true;
    out.node = parent(ConditionKind::and_, std::move(*out.node));
    out.parenthesised = false;
    while (accept_keyword("AND")) {
      Part next;
      if (!parse_not(next, Lone::refused)) return false;
      out.node->children.push_back(std::move(*next.node));
    }
    return true;
  }

  bool parse_not(Part& out, Lone lone) {
    bool any = false;
    bool negated = false;
    while (accept_keyword("NOT")) {
      any = true;
      negated = !negated;
    }
    if (!parse_comparison(out, any ? Lone::refused : lone)) return false;
    if (any) out.parenthesised = false;
    if (negated) out.node = parent(ConditionKind::not_, std::move(*out.node));
    return true;
  }

  // A comparison, a function, a condition in parentheses, or a lone operand.
  bool parse_comparison(Part& out, Lone lone) {
    if (!parse_atom(out)) return false;
    if (out.node) return true;
    if (is_keyword("BETWEEN")) return parse_between(out);
    if (is_keyword("IN")) return parse_in(out);
    for (const auto& comparator : kComparators) {
      if (is_symbol(comparator.symbol)) return parse_comparator(out, comparator.kind);
    }
    if (lone == Lone::allowed && is_symbol(")")) return true;
    if (out.operand->kind != Operand::Kind::function) return fail();
    start_node(out, ConditionKind::function);
    return true;
  }

  bool parse_atom(Part& out) {
    if (is_symbol("(")) return parse_group(out);
    return parse_operand(out.operand.emplace());
  }

  bool parse_group(Part& out) {
    Level level(*this);
    if (!check_depth()) return false;
    advance();
    if (!parse_or(out, Lone::allowed)) return false;
    if (!expect_symbol(")")) return false;
    if (out.parenthesised) note_redundant_parentheses();
    out.parenthesised = true;
    if (out.operand && (is_symbol(".") || is_symbol("["))) {
      out.parenthesised = false;
      return parse_grouped_steps(*out.operand);
    }
    return true;
  }

  static void start_node(Part& out, ConditionKind kind) {
    out.node.emplace().kind = kind;
    out.node->operands.push_back(std::move(*out.operand));
    out.operand.reset();
  }

  void start_comparison(Part& out, ConditionKind kind) {
    count_operator();
    advance();
    start_node(out, kind);
    out.parenthesised = false;
  }

  bool parse_next_operand(Part& out) { return parse_operand(out.node->operands.emplace_back()); }

  bool parse_comparator(Part& out, ConditionKind kind) {
    start_comparison(out, kind);
    return parse_next_operand(out);
  }

  bool parse_between(Part& out) {
    start_comparison(out, ConditionKind::between);
    if (!parse_next_operand(out)) return false;
    if (!accept_keyword("AND")) return fail();
    return parse_next_operand(out);
  }

  bool parse_in(Part& out) {
    start_comparison(out, ConditionKind::in);
    if (!expect_symbol("(")) return false;
    do {
      if (!parse_next_operand(out)) return false;
    } while (accept_symbol(","));
    return expect_symbol(")");
  }
};

}  // namespace

Result<ConditionNode, std::string> compile_condition(std::string_view text, Parameter parameter,
                                                     Placeholders& placeholders) {
  if (auto error = check_length(parameter, text)) return Err(std::move(*error));
  ConditionParser parser(text);
  ConditionNode root;
  if (!parser.parse(root)) return Err(invalid(parameter, parser.error()));
  if (auto error = check_condition(root, parser.findings(), placeholders))
    return Err(invalid(parameter, *error));
  return root;
}

}  // namespace meridian::expr
