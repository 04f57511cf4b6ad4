// What is wrong with an expression that parses.  DynamoDB looks for one kind of mistake after
// another, so the first of each kind is remembered and the order of kinds decides which is told.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>

namespace meridian::expr {

enum class Mistake {
  limit,             // too many operators, levels, or a list index out of range
  parentheses,       // redundant ones
  unknown_function,  // or one that the expression may not use
  misused_function,  // in a place where its result cannot be used
  reserved_word,
  repeated_section,
  undefined_name,
  undefined_value,
  path_overlap,
  path_conflict,
  operand_count,
  same_operands,
  operand_type,
  clause_operand,  // of ADD and DELETE
  condition,       // first mistake within one comparison or function
};

class Findings {
 public:
  // Only the first of its kind is kept.
  void note(Mistake mistake, std::string text) {
    auto& slot = texts_[static_cast<std::size_t>(mistake)];
    if (!slot) slot = std::move(text);
  }
  [[nodiscard]] std::optional<std::string> first(std::initializer_list<Mistake> order) const {
    for (Mistake mistake : order) {
      const auto& slot = texts_[static_cast<std::size_t>(mistake)];
      if (slot) return slot;
    }
    return std::nullopt;
  }

 private:
  std::array<std::optional<std::string>, static_cast<std::size_t>(Mistake::condition) + 1> texts_;
};

}  // namespace meridian::expr
