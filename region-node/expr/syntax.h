// Syntax: the part of the grammar that all expressions share (paths, operands, functions), and the
// place for what goes wrong.  Recursive descent; every parsing method answers false once a syntax
// error has been noted, and then the caller only has to return.
//
// Threads: one owner.  Borrows: the text.
// Limits: kExpressionBytesMax, kOperatorsMax, kConditionDepthMax.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "region-node/expr/ast.h"
#include "region-node/expr/findings.h"
#include "region-node/expr/lexer.h"
#include "region-node/expr/placeholders.h"

namespace meridian::expr {

// "Invalid ConditionExpression: ..."
std::string invalid(Parameter parameter, const std::string& reason);
// Empty or too long, as "Invalid ...: ..."; checked before anything else.
std::optional<std::string> check_length(Parameter parameter, std::string_view text);

class Syntax {
 public:
  // Whether a path may go on after parentheses: (a.b).c
  enum class GroupedPaths { allowed, refused };

  // `keywords`: upper case; identifiers that the grammar keeps for itself.
  Syntax(std::string_view text, std::initializer_list<std::string_view> keywords,
         GroupedPaths grouped_paths);

  [[nodiscard]] const std::string& error() const { return error_; }
  Findings& findings() { return findings_; }

 protected:
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const;
  void advance() { ++at_; }
  [[nodiscard]] bool is_symbol(std::string_view symbol) const;
  [[nodiscard]] bool is_keyword(std::string_view keyword) const;
  bool accept_symbol(std::string_view symbol);
  bool accept_keyword(std::string_view keyword);
  bool expect_symbol(std::string_view symbol);
  bool expect_end();
  // Notes a syntax error at the next token.  Always false.
  bool fail();
  // Counts operators and functions.
  void count_operator();

  bool parse_path(Path& out);
  // What follows a path's first name, if anything.
  bool parse_steps(Path& out);
  bool parse_value(Operand& out);
  // A path, value or function, in parentheses or not.
  bool parse_operand(Operand& out);
  [[nodiscard]] bool at_function() const;
  bool parse_function(Operand& out);
  void note_redundant_parentheses();
  // The rest of a path whose beginning was in parentheses.
  bool parse_grouped_steps(Operand& out);

  // One level of nesting, while it lives.
  class Level {
   public:
    explicit Level(Syntax& syntax) : syntax_(syntax) { ++syntax_.depth_; }
    ~Level() { --syntax_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Syntax& syntax_;
  };
  // Answers false, with an error noted, where the nesting is too deep.
  bool check_depth();

 private:
  [[nodiscard]] bool is_keyword_token(const Token& token) const;
  bool parse_name(std::string& out);
  bool parse_index(Path& out);
  void check_path_depth(const Path& path);

  std::string_view text_;
  std::vector<std::string_view> keywords_;
  GroupedPaths grouped_paths_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t operators_ = 0;
  std::string error_;
  Findings findings_;
};

}  // namespace meridian::expr
