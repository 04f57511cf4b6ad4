#include "region-node/expr/lexer.h"

namespace meridian::expr {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::size_t run_of(std::string_view text, bool (*belongs)(char)) {
  std::size_t size = 0;
  while (size < text.size() && belongs(text[size])) ++size;
  return size;
}

// One character, with all bytes of its UTF-8 sequence.
std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

struct Piece {
  TokenKind kind;
  std::size_t size;
};

// REQUIRES: not empty, does not start with a space.
Piece next_piece(std::string_view text) {
  char first = text.front();
  if (is_letter(first)) return {TokenKind::identifier, run_of(text, is_word)};
  if (is_digit(first)) return {TokenKind::number, run_of(text, is_digit)};
  if (first == '#' || first == ':') {
    std::size_t size = run_of(text.substr(1), is_word);
    if (size == 0) return {TokenKind::invalid, 1};
    return {first == '#' ? TokenKind::name : TokenKind::value, 1 + size};
  }
  std::string_view two = text.substr(0, 2);
  if (two == "<>" || two == "<=" || two == ">=") return {TokenKind::symbol, 2};
  if (std::string_view("()[].,=<>+-").find(first) != std::string_view::npos)
    return {TokenKind::symbol, 1};
  return {TokenKind::invalid, character_size(text)};
}

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t offset = 0;
  while (true) {
    offset += run_of(text.substr(offset), is_space);
    if (offset == text.size()) break;
    Piece piece = next_piece(text.substr(offset));
    tokens.push_back({piece.kind, text.substr(offset, piece.size), offset});
    offset += piece.size;
  }
  tokens.push_back({TokenKind::end, text.substr(text.size()), text.size()});
  return tokens;
}

}  // namespace meridian::expr
