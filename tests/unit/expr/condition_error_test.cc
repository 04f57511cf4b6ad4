#include <gtest/gtest.h>

#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

AttributeMap every_type() {
  return {{":s", s("a")},     {":n", n("1")},     {":b", b("a")},    {":t", yes()},
          {":z", null()},     {":l", list({})},   {":m", map({})},   {":ss", ss({"a"})},
          {":ns", ns({"1"})}, {":bs", bs({"a"})}, {":type", s("N")}, {":n0", n("0")},
          {":s2", s("b")}};
}

std::string filter_error(std::string_view text, const Names& names = {{"#a", "a"}}) {
  return condition_error(text, every_type(), names, Parameter::filter);
}

struct Refusal {
  const char* text;
  const char* reason;
};

void check(const std::vector<Refusal>& cases) {
  for (const auto& each : cases)
    EXPECT_EQ(filter_error(each.text), std::string("Invalid FilterExpression: ") + each.reason)
        << each.text;
}

TEST(ConditionErrors, RedundantParentheses) {
  for (const char* text :
       {"a=b and a > ((views))", "(a)between(((b.c)).d)and(c)", "a > whatever((:things), ((a)))",
        "a=b AND ((a=c AND a=d)) AND a=b", "a=b OR ((a=c OR a=d)) OR a=b",
        "a=b AND ((a=c AND (a=d AND a=e)))", "((a = :n))", "((attribute_exists(a)))", "((a)) = :n",
        "((size(a))) > :n", "NOT ((a = :n))", "a IN (((b)))"}) {
    EXPECT_EQ(filter_error(text),
              "Invalid FilterExpression: The expression has redundant parentheses;")
        << text;
  }
  for (const char* text : {"((a = :n) AND (b = :n))", "(a = :n)", "(a) = (b)", "((a) = b)",
                           "((a.b).c) = :n", "NOT (NOT (a = :n))", "(NOT (a = :n))"}) {
    EXPECT_EQ(filter_error(text), "") << text;
  }
}

TEST(ConditionErrors, Functions) {
  check({
      {"a=b and whatever((:things)) > a", "Invalid function name; function: whatever"},
      {"attRIbute_exIsts((views), #a)", "Invalid function name; function: attRIbute_exIsts"},
      {"list_append(a, b) = :n",
       "The function is not allowed in a condition expression; function: list_append"},
      {"if_not_exists(a, b) = :n",
       "The function is not allowed in a condition expression; function: if_not_exists"},
  });
  const std::pair<const char*, const char*> misused[] = {
      {"a=b and attribute_exists((views), (#a)) > b", "attribute_exists"},
      {"attribute_not_exists(things) > b", "attribute_not_exists"},
      {"attribute_type(things, :s) > b", "attribute_type"},
      {"begins_with(things, a) > b", "begins_with"},
      {"contains(:things, c) > b", "contains"},
      {"size(contains(a, b)) > a", "contains"},
      {"size(things)", "size"},
      {"NOT size(things)", "size"},
      {"a between b and attribute_exists(things)", "attribute_exists"},
      {"a in (b, attribute_exists(things))", "attribute_exists"},
  };
  for (const auto& [text, function] : misused) {
    EXPECT_EQ(filter_error(text),
              std::string("Invalid FilterExpression: The function is not allowed to be used this "
                          "way in an expression; function: ") +
                  function)
        << text;
  }
}

TEST(ConditionErrors, OperandCounts) {
  const std::tuple<const char*, const char*, int> cases[] = {
      {"attribute_exists(things, a) and a=a", "attribute_exists", 2},
      {"attribute_not_exists(things, b)", "attribute_not_exists", 2},
      {"attribute_type(things)", "attribute_type", 1},
      {"begins_with(things)", "begins_with", 1},
      {"begins_with(things, size(a), b)", "begins_with", 3},
      {"contains(things)", "contains", 1},
      {"size(things, a) > b", "size", 2},
  };
  for (const auto& [text, function, count] : cases) {
    EXPECT_EQ(filter_error(text),
              std::string("Invalid FilterExpression: Incorrect number of operands for operator or "
                          "function; operator or function: ") +
                  function + ", number of operands: " + std::to_string(count))
        << text;
  }
  auto in = [](int count) {
    std::string text = "a IN (:n";
    for (int i = 1; i < count; ++i) text += ",:n";
    return text + ")";
  };
  EXPECT_EQ(filter_error(in(100)), "");
  EXPECT_EQ(filter_error(in(101)),
            "Invalid FilterExpression: Incorrect number of operands for operator or function; "
            "operator or function: IN, number of operands: 102");
}

TEST(ConditionErrors, OperandTypes) {
  const std::string prefix =
      "Invalid FilterExpression: Incorrect operand type for operator or function; operator or "
      "function: ";
  auto expect = [&prefix](const std::string& text, const std::string& function,
                          const std::string& type) {
    EXPECT_EQ(filter_error(text), prefix + function + ", operand type: " + type) << text;
  };
  const std::pair<const char*, const char*> types[] = {
      {":n", "N"}, {":b", "B"},   {":t", "BOOL"}, {":z", "NULL"}, {":l", "L"},
      {":m", "M"}, {":ss", "SS"}, {":ns", "NS"},  {":bs", "BS"},
  };
  for (const auto& [value, type] : types) {
    std::string operand = value;
    expect("attribute_type(a, " + operand + ")", "attribute_type", type);
    if (operand != ":b") {
      expect("begins_with(a, " + operand + ")", "begins_with", type);
      expect("begins_with(" + operand + ", a)", "begins_with", type);
    }
    if (operand == ":n" || operand == ":t" || operand == ":z")
      expect("size(" + operand + ") > a", "size", type);
    if (operand == ":n" || operand == ":b") continue;
    for (const char* comparator : {"<", "<=", ">", ">="}) {
      expect("a " + std::string(comparator) + " " + operand, comparator, type);
      expect(operand + " " + std::string(comparator) + " a", comparator, type);
    }
    expect("a BETWEEN " + operand + " AND :n", "BETWEEN", type);
    expect(operand + " BETWEEN :n0 AND :n", "BETWEEN", type);
  }
  expect("attribute_type(a, size(a)) and a=a", "attribute_type", "N");
  expect("attribute_type(a, b)", "attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
  expect("begins_with(a, size(a))", "begins_with", "N");
  expect("size(size(a)) > :n", "size", "N");
  expect("attribute_not_exists(size(:n))", "size", "N");
}

TEST(ConditionErrors, Others) {
  check({
      {"attribute_type(a, :s)",
       "Invalid attribute type name found; type: a, valid types: "
       "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
      {"attribute_exists(:n) and a=a",
       "Operator or function requires a document path; operator or function: attribute_exists"},
      {"attribute_not_exists(size(:s))",
       "Operator or function requires a document path; operator or function: "
       "attribute_not_exists"},
      {"a BETWEEN :n AND :s",
       "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
       "operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}"},
      {"a BETWEEN :n AND :n0",
       "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
       "lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {N:0}"},
      {"a BETWEEN :s2 AND :s",
       "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
       "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"},
  });
}

TEST(ConditionErrors, SameOperands) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"a = a AND #a = b AND :views > a", "=", "[a]"},
      {"#a <> a", "<>", "[a]"},
      {"a > #a", ">", "[a]"},
      {"((a=a) OR (a=a))", "=", "[a]"},
      {"contains(ab.bc[1].a, ab.bc[1].#a)", "contains", "[ab, bc, [1], a]"},
      {"attribute_type(ab.bc[1].#a, ab.bc[1].a)", "attribute_type", "[ab, bc, [1], a]"},
      {"begins_with(ab.bc[1].a, ab.bc[1].#a)", "begins_with", "[ab, bc, [1], a]"},
  };
  for (const auto& [text, operation, path] : cases) {
    EXPECT_EQ(filter_error(text),
              std::string("Invalid FilterExpression: The first operand must be distinct from the "
                          "remaining operands for this operator or function; operator: ") +
                  operation + ", first operand: " + path)
        << text;
  }
  EXPECT_EQ(filter_error(":n > :n"), "");
  EXPECT_EQ(filter_error("a BETWEEN a AND a"), "");
}

TEST(ConditionErrors, OrderOfChecks) {
  // One kind of mistake is looked for in the whole expression before the next kind.
  check({
      {"attribute_exists(views, #x)",
       "Attribute name is a reserved keyword; reserved keyword: views"},
      {":x < abOrT", "Attribute name is a reserved keyword; reserved keyword: abOrT"},
      {"begins_with(:hello, #x, #y)",
       "An expression attribute value used in expression is not defined; attribute value: :hello"},
      {"begins_with(Pictures.#RearView)",
       "An expression attribute name used in the document path is not defined; attribute name: "
       "#RearView"},
      {"(#P between :lo and :hi) and (#PC in (:cat1, :cat2))",
       "An expression attribute name used in the document path is not defined; attribute name: #P"},
      {"a = a AND foo(b)", "Invalid function name; function: foo"},
      {"a = :missing AND foo((b))", "Invalid function name; function: foo"},
      {"a = a AND b = :missing",
       "The first operand must be distinct from the remaining operands for this operator or "
       "function; operator: =, first operand: [a]"},
  });
}

}  // namespace
}  // namespace meridian::expr::testing
