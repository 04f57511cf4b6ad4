#include "region-node/expr/syntax.h"

#include <algorithm>

#include "region-node/expr/condition.h"

namespace meridian::expr {
namespace {

// Largest list index that DynamoDB takes.
constexpr std::uint64_t kListIndexMax = 2147483647;

bool equals_keyword(std::string_view text, std::string_view upper) {
  return text.size() == upper.size() &&
         std::equal(text.begin(), text.end(), upper.begin(), [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
         });
}

}  // namespace

std::string invalid(Parameter parameter, const std::string& reason) {
  return std::string("Invalid ") + parameter_name(parameter) + ": " + reason;
}

std::optional<std::string> check_length(Parameter parameter, std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return invalid(parameter, "The expression can not be empty;");
  if (text.size() <= kExpressionBytesMax) return std::nullopt;
  std::string reason = "Expression size has exceeded the maximum allowed size;";
  // AWS does not give the size with the others.
  if (parameter == Parameter::condition || parameter == Parameter::filter)
    reason += " expression size: " + std::to_string(text.size());
  return invalid(parameter, reason);
}

Syntax::Syntax(std::string_view text, std::initializer_list<std::string_view> keywords,
               GroupedPaths grouped_paths)
    : text_(text), keywords_(keywords), grouped_paths_(grouped_paths), tokens_(tokenize(text)) {}

const Token& Syntax::peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

bool Syntax::is_symbol(std::string_view symbol) const {
  return peek().kind == TokenKind::symbol && peek().text == symbol;
}

bool Syntax::is_keyword(std::string_view keyword) const {
  return peek().kind == TokenKind::identifier && equals_keyword(peek().text, keyword);
}

bool Syntax::is_keyword_token(const Token& token) const {
  return std::any_of(keywords_.begin(), keywords_.end(), [&token](std::string_view keyword) {
    return equals_keyword(token.text, keyword);
  });
}

bool Syntax::accept_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) return false;
  advance();
  return true;
}

bool Syntax::accept_keyword(std::string_view keyword) {
  if (!is_keyword(keyword)) return false;
  advance();
  return true;
}

bool Syntax::expect_symbol(std::string_view symbol) { return accept_symbol(symbol) || fail(); }

bool Syntax::expect_end() { return peek().kind == TokenKind::end || fail(); }

bool Syntax::fail() {
  if (!error_.empty()) return false;
  const Token& token = peek();
  const Token& before = at_ > 0 ? tokens_[std::min(at_, tokens_.size() - 1) - 1] : token;
  const Token& after = peek(1);
  std::size_t end = after.offset + after.text.size();
  if (after.kind == TokenKind::end) end = token.offset + token.text.size();
  if (token.kind == TokenKind::end) end = before.offset + before.text.size();
  std::string_view shown = token.kind == TokenKind::end ? "<EOF>" : token.text;
  error_ = "Syntax error; token: \"" + std::string(shown) + "\", near: \"" +
           std::string(text_.substr(before.offset, end - before.offset)) + "\"";
  return false;
}

void Syntax::count_operator() {
  if (++operators_ <= kOperatorsMax) return;
  findings_.note(Mistake::limit, "The expression contains too many operators; operator count: " +
                                     std::to_string(operators_));
}

bool Syntax::check_depth() {
  if (depth_ <= kConditionDepthMax) return true;
  // Without redundant parentheses this takes as many operators, and AWS counts those.
  if (error_.empty()) {
    error_ =
        "The expression contains too many operators; operator count: " + std::to_string(depth_);
  }
  return false;
}

bool Syntax::parse_name(std::string& out) {
  const Token& token = peek();
  bool plain = token.kind == TokenKind::identifier && !is_keyword_token(token);
  if (!plain && token.kind != TokenKind::name) return fail();
  out = std::string(token.text);
  advance();
  return true;
}

bool Syntax::parse_index(Path& out) {
  const Token& token = peek();
  if (token.kind != TokenKind::number) return fail();
  std::uint64_t index = 0;
  for (char c : token.text)
    index = std::min(index * 10 + static_cast<std::uint64_t>(c - '0'), kListIndexMax + 1);
  if (index > kListIndexMax) {
    findings_.note(Mistake::limit, "List index is not within the allowable range; index: [" +
                                       std::string(token.text) + "]");
    index = 0;
  }
  out.steps.emplace_back(static_cast<std::uint32_t>(index));
  advance();
  return expect_symbol("]");
}

void Syntax::check_path_depth(const Path& path) {
  std::size_t levels = path.steps.size() + 1;
  if (levels <= model::kNestingMax) return;
  findings_.note(Mistake::limit, "The document path has too many nesting levels; nesting levels: " +
                                     std::to_string(levels));
}

bool Syntax::parse_steps(Path& out) {
  while (true) {
    if (accept_symbol(".")) {
      std::string name;
      if (!parse_name(name)) return false;
      out.steps.emplace_back(std::move(name));
    } else if (accept_symbol("[")) {
      if (!parse_index(out)) return false;
    } else {
      check_path_depth(out);
      return true;
    }
  }
}

bool Syntax::parse_path(Path& out) { return parse_name(out.attribute) && parse_steps(out); }

bool Syntax::parse_value(Operand& out) {
  if (peek().kind != TokenKind::value) return fail();
  out.kind = Operand::Kind::value;
  out.token = std::string(peek().text);
  advance();
  return true;
}

bool Syntax::at_function() const {
  const Token& next = peek(1);
  return peek().kind == TokenKind::identifier && !is_keyword_token(peek()) &&
         next.kind == TokenKind::symbol && next.text == "(";
}

bool Syntax::parse_function(Operand& out) {
  Level level(*this);
  if (!check_depth()) return false;
  count_operator();
  out.kind = Operand::Kind::function;
  out.token = std::string(peek().text);
  advance();
  if (!expect_symbol("(")) return false;
  do {
    if (!parse_operand(out.arguments.emplace_back())) return false;
  } while (accept_symbol(","));
  return expect_symbol(")");
}

void Syntax::note_redundant_parentheses() {
  findings_.note(Mistake::parentheses, "The expression has redundant parentheses;");
}

bool Syntax::parse_grouped_steps(Operand& out) {
  bool goes_on = grouped_paths_ == GroupedPaths::allowed && out.kind == Operand::Kind::path &&
                 (is_symbol(".") || is_symbol("["));
  return !goes_on || parse_steps(out.path);
}

bool Syntax::parse_operand(Operand& out) {
  if (at_function()) return parse_function(out);
  if (peek().kind == TokenKind::value) return parse_value(out);
  if (!is_symbol("(")) {
    out.kind = Operand::Kind::path;
    return parse_path(out.path);
  }
  Level level(*this);
  if (!check_depth()) return false;
  advance();
  bool doubled = is_symbol("(");
  if (!parse_operand(out)) return false;
  // What starts with a parenthesis ends with its partner, unless a path went on after it.
  if (doubled && is_symbol(")") && tokens_[at_ - 1].text == ")") note_redundant_parentheses();
  return expect_symbol(")") && parse_grouped_steps(out);
}

}  // namespace meridian::expr
