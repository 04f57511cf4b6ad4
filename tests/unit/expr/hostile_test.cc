// Whatever a client sends, the parsers answer: no crash, no endless loop, no deep recursion.
#include <gtest/gtest.h>

#include "common/rng.h"
#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

const AttributeMap kValues{
    {":a", n("1")}, {":b", s("x")}, {":l", list({n("1")})}, {":s", ss({"a", "b"})}};
const Names kNames{{"#a", "a"}, {"#b", "b.c"}};
const model::KeySchema kSchema{{"a", model::AttributeType::S},
                               model::KeyAttribute{"b", model::AttributeType::N}};
const Item kItem{{"a", n("5")},
                 {"b", list({n("1"), map({{"c", n("2")}})})},
                 {"c", map({{"a", list({})}})},
                 {"d", ss({"a"})}};

// Parses the text as everything, and runs what parses.
void try_all(std::string_view text) {
  Placeholders placeholders(&kNames, &kValues);
  if (auto condition = parse_condition(text, Parameter::condition, placeholders); condition.ok()) {
    (void)condition->evaluate(kItem);
    (void)condition->evaluate({});
  }
  if (auto update = parse_update(text, placeholders); update.ok()) {
    if (auto outcome = update->apply(kItem); outcome.ok()) {
      (void)project(kItem, outcome->updated);
      (void)project(outcome->item, outcome->updated);
    }
    (void)update->create({});
  }
  if (auto projection = parse_projection(text, placeholders); projection.ok())
    (void)projection->apply(kItem);
  (void)parse_key_condition(text, kSchema, placeholders);
}

std::string repeated(std::string_view piece, std::size_t size) {
  std::string out;
  while (out.size() + piece.size() <= size) out += piece;
  return out;
}

TEST(Hostile, DeepNesting) {
  for (const char* piece :
       {"(", "((", "NOT ", "NOT(", "size(", "f(a,", "a[", "a.", "(a=b AND ", "a=(", "SET a=(",
        "SET a=list_append(", "a between (", "a in (", "[", ")", "<", "if_not_exists(a,"}) {
    try_all(repeated(piece, 4096));
    try_all("SET a = " + repeated(piece, 4000));
    try_all("a = " + repeated(piece, 4000));
  }
  std::string balanced = std::string(2000, '(') + "a" + std::string(2000, ')') + " = :a";
  EXPECT_NE(condition_error(balanced, kValues), "");
  std::string nots;
  for (int i = 0; i < 290; ++i) nots += "NOT(";
  nots += "a=:a" + std::string(290, ')');
  EXPECT_EQ(condition_error(nots, kValues), "");
  EXPECT_TRUE(holds(nots, {{"a", n("1")}}, kValues));
  std::string nested;
  for (int i = 0; i < 250; ++i) nested += "a=:a AND(";
  nested += "a=:a" + std::string(250, ')');
  EXPECT_TRUE(holds(nested, {{"a", n("1")}}, kValues));
}

TEST(Hostile, RandomTokens) {
  static constexpr const char* kPieces[] = {"a",
                                            "b",
                                            "#a",
                                            "#b",
                                            "#x",
                                            ":a",
                                            ":b",
                                            ":l",
                                            ":s",
                                            ":x",
                                            "(",
                                            ")",
                                            "[",
                                            "]",
                                            ".",
                                            ",",
                                            "=",
                                            "<>",
                                            "<",
                                            "<=",
                                            ">",
                                            ">=",
                                            "+",
                                            "-",
                                            "AND",
                                            "OR",
                                            "NOT",
                                            "BETWEEN",
                                            "IN",
                                            "SET",
                                            "REMOVE",
                                            "ADD",
                                            "DELETE",
                                            "size",
                                            "contains",
                                            "begins_with",
                                            "attribute_exists",
                                            "attribute_type",
                                            "if_not_exists",
                                            "list_append",
                                            "0",
                                            "1",
                                            "99999999999999999999",
                                            "name",
                                            "_",
                                            "\"",
                                            "\xff",
                                            "\xc3\xbc",
                                            "",
                                            "\n"};
  Rng rng(51);
  for (int i = 0; i < 60'000; ++i) {
    std::string text = rng.percent(30) ? "SET " : "";
    for (std::uint64_t j = 0, count = rng.below(14); j < count; ++j) {
      text += kPieces[rng.below(std::size(kPieces))];
      if (rng.percent(60)) text += " ";
    }
    try_all(text);
  }
}

TEST(Hostile, RandomBytes) {
  Rng rng(52);
  for (int i = 0; i < 60'000; ++i) {
    std::string text;
    for (std::uint64_t j = 0, count = rng.below(40); j < count; ++j)
      text.push_back(static_cast<char>(rng.below(rng.percent(80) ? 128 : 256)));
    try_all(text);
  }
}

// Changes one character of valid expressions.
TEST(Hostile, DamagedExpressions) {
  static constexpr const char* kTexts[] = {
      "a = :a AND (NOT contains(b, :b) OR size(#b[1].c) BETWEEN :a AND :a) OR c IN (:a, :b)",
      "SET a = a + :a, b[7] = list_append(if_not_exists(x, :l), :l) REMOVE c.a ADD d :s",
      "a, b[1].c, #b.x, c.a[0]",
      "a = :b AND b BETWEEN :a AND :a",
  };
  Rng rng(53);
  for (int i = 0; i < 60'000; ++i) {
    std::string text = kTexts[rng.below(std::size(kTexts))];
    for (std::uint64_t j = 0; j <= rng.below(2); ++j) {
      auto at = static_cast<std::size_t>(rng.below(text.size()));
      switch (rng.below(3)) {
        case 0: text[at] = static_cast<char>(rng.below(256)); break;
        case 1: text.erase(at, 1); break;
        default: text.insert(at, 1, text[rng.below(text.size())]); break;
      }
    }
    try_all(text);
  }
}

TEST(Hostile, ManyPathsAreCheckedInReasonableTime) {
  std::string same = "a.x0";
  for (int i = 1; same.size() < 4080; ++i) same += ",a.x" + std::to_string(i);
  EXPECT_EQ(projection_error(same), "");
  std::string apart = "a0";
  for (int i = 1; apart.size() < 4080; ++i) apart += ",a" + std::to_string(i);
  EXPECT_EQ(projection_error(apart), "");
}

}  // namespace
}  // namespace meridian::expr::testing
