// The grammar and the checks of update expressions.
#include <array>

#include "region-node/expr/ast.h"
#include "region-node/expr/resolver.h"
#include "region-node/expr/syntax.h"
#include "region-node/expr/update.h"

namespace meridian::expr {
namespace {

using Kind = UpdateAction::Kind;
using model::AttributeType;

struct Section {
  const char* keyword;
  Kind kind;
};
constexpr std::array<Section, 4> kSections = {
    {{"SET", Kind::set}, {"REMOVE", Kind::remove}, {"ADD", Kind::add}, {"DELETE", Kind::delete_}}};

class UpdateParser : public Syntax {
 public:
  explicit UpdateParser(std::string_view text)
      : Syntax(text, {"SET", "REMOVE", "ADD", "DELETE"}, GroupedPaths::refused) {}

  bool parse(std::vector<UpdateAction>& out) {
    do {
      if (!parse_section(out)) return false;
    } while (peek().kind != TokenKind::end);
    return true;
  }

 private:
  bool parse_section(std::vector<UpdateAction>& out) {
    for (std::size_t i = 0; i < kSections.size(); ++i) {
      const Section& section = kSections[i];
      if (!accept_keyword(section.keyword)) continue;
      if (seen_[i]) {
        findings().note(Mistake::repeated_section,
                        std::string("The \"") + section.keyword +
                            "\" section can only be used once in an update expression;");
      }
      seen_[i] = true;
      do {
        UpdateAction& action = out.emplace_back();
        action.kind = section.kind;
        if (!parse_action(action)) return false;
      } while (accept_symbol(","));
      return true;
    }
    return fail();
  }

  bool parse_action(UpdateAction& action) {
    if (!parse_path(action.path)) return false;
    switch (action.kind) {
      case Kind::set: count_operator(); return expect_symbol("=") && parse_set_value(action);
      case Kind::remove: return true;
      case Kind::add:
      case Kind::delete_: return parse_value(action.operand);
    }
    return false;
  }

  // An operand, a sum or a difference; the latter two also in parentheses.
  bool parse_set_value(UpdateAction& action) {
    if (!is_symbol("(")) return parse_operand(action.operand) && parse_arithmetic(action);
    advance();
    if (!parse_operand(action.operand) || !parse_arithmetic(action)) return false;
    bool was_operand = action.arithmetic == UpdateAction::Arithmetic::none;
    return expect_symbol(")") && (!was_operand || parse_arithmetic(action));
  }

  bool parse_arithmetic(UpdateAction& action) {
    if (accept_symbol("+")) {
      action.arithmetic = UpdateAction::Arithmetic::plus;
    } else if (accept_symbol("-")) {
      action.arithmetic = UpdateAction::Arithmetic::minus;
    } else {
      return true;
    }
    count_operator();
    return parse_operand(action.right);
  }

  std::array<bool, kSections.size()> seen_{};
};

// The long names that only ADD and DELETE use in errors; null for sets.
const char* long_name(AttributeType type) {
  switch (type) {
    case AttributeType::S: return "STRING";
    case AttributeType::N: return "NUMBER";
    case AttributeType::B: return "BINARY";
    case AttributeType::BOOL: return "BOOLEAN";
    case AttributeType::NULL_: return "NULL";
    case AttributeType::M: return "MAP";
    case AttributeType::L: return "LIST";
    case AttributeType::SS:
    case AttributeType::NS:
    case AttributeType::BS: return nullptr;
  }
  return nullptr;
}

class UpdateCheck {
 public:
  UpdateCheck(Findings& findings, Placeholders& placeholders)
      : findings_(findings), resolver_(placeholders) {}

  std::optional<std::string> check(std::vector<UpdateAction>& actions) {
    std::vector<const Path*> targets;
    for (auto& action : actions) {
      Resolver::check_reserved(action.path, findings_);
      resolver_.resolve(action.path, findings_);
      targets.push_back(&action.path);
      check_action(action);
    }
    Resolver::check_apart(targets, findings_);
    return findings_.first({Mistake::limit, Mistake::parentheses, Mistake::reserved_word,
                            Mistake::unknown_function, Mistake::repeated_section,
                            Mistake::undefined_name, Mistake::undefined_value,
                            Mistake::path_overlap, Mistake::path_conflict, Mistake::clause_operand,
                            Mistake::misused_function, Mistake::operand_type});
  }

 private:
  void check_action(UpdateAction& action) {
    switch (action.kind) {
      case Kind::remove: break;
      case Kind::set: check_set(action); break;
      case Kind::add: check_clause("ADD", action); break;
      case Kind::delete_: check_clause("DELETE", action); break;
    }
  }

  void check_clause(const std::string& clause, UpdateAction& action) {
    resolver_.resolve_value(action.operand, findings_);
    AttributeType type = action.operand.value->type();
    const char* name = long_name(type);
    if (name == nullptr || (action.kind == Kind::add && type == AttributeType::N)) return;
    findings_.note(Mistake::clause_operand,
                   "Incorrect operand type for operator or function; operator: " + clause +
                       ", operand type: " + name);
  }

  void check_set(UpdateAction& action) {
    check_operand(action.operand);
    if (action.arithmetic == UpdateAction::Arithmetic::none) return;
    check_operand(action.right);
    const char* text = action.arithmetic == UpdateAction::Arithmetic::plus ? "+" : "-";
    check_type(text, action.operand, AttributeType::N);
    check_type(text, action.right, AttributeType::N);
  }

  // `wanted` is what the operation needs, where the operand is known beforehand.
  void check_type(const std::string& operation, const Operand& operand, AttributeType wanted) {
    bool wrong = operand.kind == Operand::Kind::value && operand.value->type() != wanted;
    if (!wrong) return;
    findings_.note(Mistake::operand_type,
                   wrong_type(operation, model::type_name(operand.value->type())));
  }

  void check_operand(Operand& operand) {
    switch (operand.kind) {
      case Operand::Kind::path:
        Resolver::check_reserved(operand.path, findings_);
        resolver_.resolve(operand.path, findings_);
        break;
      case Operand::Kind::value: resolver_.resolve_value(operand, findings_); break;
      case Operand::Kind::function: check_function(operand); break;
    }
  }

  void check_function(Operand& operand) {
    for (auto& argument : operand.arguments) {
      check_operand(argument);
      if (argument.kind == Operand::Kind::function && argument.token == "list_append") {
        findings_.note(Mistake::misused_function,
                       "The function is not allowed to be used this way in an expression; "
                       "function: " +
                           argument.token);
      }
    }
    const FunctionInfo* info = find_function(operand.token);
    if (info == nullptr) {
      findings_.note(Mistake::unknown_function,
                     "Invalid function name; function: " + operand.token);
      return;
    }
    if (info->in_conditions) {
      findings_.note(
          Mistake::unknown_function,
          "The function is not allowed in an update expression; function: " + operand.token);
      return;
    }
    operand.function = info->function;
    if (operand.arguments.size() != info->operand_count) {
      findings_.note(Mistake::operand_type, wrong_count(operand.token, operand.arguments.size()));
    } else if (operand.function == Function::list_append) {
      check_type(operand.token, operand.arguments[0], AttributeType::L);
      check_type(operand.token, operand.arguments[1], AttributeType::L);
    } else if (operand.arguments[0].kind != Operand::Kind::path) {
      findings_.note(Mistake::operand_type, needs_path(operand.token));
    }
  }

  Findings& findings_;
  Resolver resolver_;
};

}  // namespace

Result<Update, std::string> parse_update(std::string_view text, Placeholders& placeholders) {
  if (auto error = check_length(Parameter::update, text)) return Err(std::move(*error));
  UpdateParser parser(text);
  UpdateActions actions;
  if (!parser.parse(actions.actions)) return Err(invalid(Parameter::update, parser.error()));
  if (auto error = UpdateCheck(parser.findings(), placeholders).check(actions.actions))
    return Err(invalid(Parameter::update, *error));
  return Update(std::make_shared<const UpdateActions>(std::move(actions)));
}

}  // namespace meridian::expr
