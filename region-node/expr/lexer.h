// Splits the text of an expression into tokens.  Never fails: what is no token of the language comes
// out as `invalid`, and the parser refuses it with its place.
// Borrows: tokens point into the text.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace meridian::expr {

enum class TokenKind {
  identifier,  // also keywords, which depend on the grammar
  name,        // #name
  value,       // :value
  number,      // digits
  symbol,      // ( ) [ ] . , = <> < <= > >= + -
  invalid,
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;
  std::size_t offset = 0;
};

// A letter, a digit or `_`.
constexpr bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The last token is `end`.
std::vector<Token> tokenize(std::string_view text);

}  // namespace meridian::expr
