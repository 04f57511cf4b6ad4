#include "region-node/expr/legacy.h"

#include <gtest/gtest.h>

#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

using Op = ComparisonOperator;
constexpr const char* kInvalid = "One or more parameter values were invalid: ";

bool expected_holds(const LegacyExpectations& expected, const Item& item,
                    ConditionalOperator conditional = ConditionalOperator::and_) {
  return condition_from_expected(expected, conditional).value().evaluate(item);
}

std::string expected_error(const LegacyExpected& expected) {
  auto condition = condition_from_expected({{"a", expected}}, ConditionalOperator::and_);
  return condition.ok() ? "" : condition.error();
}

LegacyExpected compared(Op comparison, std::vector<AttributeValue> values) {
  LegacyExpected out;
  out.comparison = comparison;
  out.values = std::move(values);
  return out;
}

TEST(Legacy, NamesOfOperators) {
  for (const char* name : {"EQ", "NE", "IN", "LE", "LT", "GE", "GT", "BETWEEN", "NOT_NULL", "NULL",
                           "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH"}) {
    EXPECT_TRUE(parse_comparison_operator(name).has_value()) << name;
  }
  EXPECT_EQ(parse_comparison_operator("NULL"), Op::NULL_);
  EXPECT_EQ(parse_comparison_operator("BEGINS_WITH"), Op::BEGINS_WITH);
  EXPECT_FALSE(parse_comparison_operator("eq").has_value());
  EXPECT_EQ(parse_legacy_action("DELETE"), LegacyAction::DELETE);
  EXPECT_FALSE(parse_legacy_action("SET").has_value());
}

TEST(Legacy, Comparisons) {
  Item item{{"n", n("5")},          {"s", s("hello")}, {"l", list({s("x"), n("1")})},
            {"ss", ss({"a", "b"})}, {"z", null()},     {"t", yes()}};
  struct Comparison {
    const char* attribute;
    Op comparison;
    std::vector<AttributeValue> values;
    bool expected;
  };
  const Comparison cases[] = {
      {"n", Op::EQ, {n("5")}, true},
      {"n", Op::EQ, {s("5")}, false},
      {"t", Op::EQ, {yes()}, true},
      {"l", Op::EQ, {list({s("x"), n("1")})}, true},
      {"x", Op::EQ, {n("5")}, false},
      {"n", Op::NE, {n("5")}, false},
      {"n", Op::NE, {s("5")}, true},
      {"x", Op::NE, {n("5")}, true},
      {"n", Op::LT, {n("6")}, true},
      {"n", Op::LT, {n("5")}, false},
      {"n", Op::LE, {n("5")}, true},
      {"n", Op::GT, {n("4")}, true},
      {"n", Op::GE, {n("6")}, false},
      {"x", Op::GE, {n("6")}, false},
      {"n", Op::IN, {n("1"), n("5")}, true},
      {"n", Op::IN, {n("1")}, false},
      {"n", Op::BETWEEN, {n("1"), n("5")}, true},
      {"s", Op::BETWEEN, {n("1"), n("5")}, false},
      {"z", Op::NOT_NULL, {}, true},
      {"x", Op::NOT_NULL, {}, false},
      {"z", Op::NULL_, {}, false},
      {"x", Op::NULL_, {}, true},
      {"s", Op::CONTAINS, {s("ell")}, true},
      {"ss", Op::CONTAINS, {s("a")}, true},
      {"l", Op::CONTAINS, {n("1")}, true},
      {"n", Op::CONTAINS, {n("5")}, false},
      {"s", Op::NOT_CONTAINS, {s("ell")}, false},
      {"s", Op::NOT_CONTAINS, {s("x")}, true},
      {"n", Op::NOT_CONTAINS, {s("x")}, true},
      {"x", Op::NOT_CONTAINS, {s("x")}, false},
      {"s", Op::BEGINS_WITH, {s("he")}, true},
      {"n", Op::BEGINS_WITH, {s("he")}, false},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(expected_holds({{each.attribute, compared(each.comparison, each.values)}}, item),
              each.expected)
        << each.attribute << " " << static_cast<int>(each.comparison);
    auto filter = condition_from_filter({{each.attribute, {each.comparison, each.values}}},
                                        ConditionalOperator::and_);
    EXPECT_EQ(filter.value().evaluate(item), each.expected);
  }
}

TEST(Legacy, ValueAndExists) {
  Item item{{"a", n("5")}};
  LegacyExpected value;
  value.value = n("5");
  EXPECT_TRUE(expected_holds({{"a", value}}, item));
  EXPECT_FALSE(expected_holds({{"a", value}}, {}));
  value.exists = true;
  EXPECT_TRUE(expected_holds({{"a", value}}, item));
  LegacyExpected absent;
  absent.exists = false;
  EXPECT_FALSE(expected_holds({{"a", absent}}, item));
  EXPECT_TRUE(expected_holds({{"b", absent}}, item));
  // A comparison may take its one value from Value.
  LegacyExpected mixed;
  mixed.comparison = Op::LT;
  mixed.value = n("6");
  EXPECT_TRUE(expected_holds({{"a", mixed}}, item));
}

TEST(Legacy, ConditionalOperators) {
  Item item{{"a", n("5")}, {"b", n("6")}};
  LegacyExpectations both{{"a", compared(Op::EQ, {n("5")})}, {"b", compared(Op::EQ, {n("5")})}};
  EXPECT_FALSE(expected_holds(both, item, ConditionalOperator::and_));
  EXPECT_TRUE(expected_holds(both, item, ConditionalOperator::or_));
  EXPECT_FALSE(expected_holds(both, {}, ConditionalOperator::or_));
  EXPECT_TRUE(expected_holds({}, item));
}

TEST(Legacy, ExpectedErrors) {
  LegacyExpected both = compared(Op::EQ, {n("1")});
  both.value = n("1");
  EXPECT_EQ(expected_error(both),
            std::string(kInvalid) +
                "Value and AttributeValueList cannot be used together for Attribute: a");
  LegacyExpected exists = compared(Op::EQ, {n("1")});
  exists.exists = true;
  EXPECT_EQ(expected_error(exists),
            std::string(kInvalid) +
                "Exists and ComparisonOperator cannot be used together for Attribute: a");
  LegacyExpected bare;
  bare.comparison = Op::EQ;
  EXPECT_EQ(expected_error(bare),
            std::string(kInvalid) +
                "Value or AttributeValueList must be used with ComparisonOperator: EQ for "
                "Attribute: a");
  bare.comparison = Op::NULL_;
  EXPECT_EQ(expected_error(bare), "");
  LegacyExpected only_values;
  only_values.values = {n("1")};
  EXPECT_EQ(expected_error(only_values),
            std::string(kInvalid) +
                "AttributeValueList can only be used with a ComparisonOperator for Attribute: a");
  EXPECT_EQ(expected_error({}),
            std::string(kInvalid) + "Value must be provided when Exists is null for Attribute: a");
  LegacyExpected no_value;
  no_value.exists = true;
  EXPECT_EQ(expected_error(no_value),
            std::string(kInvalid) + "Value must be provided when Exists is true for Attribute: a");
  no_value.exists = false;
  no_value.value = n("1");
  EXPECT_EQ(expected_error(no_value),
            std::string(kInvalid) + "Value cannot be used when Exists is false for Attribute: a");
}

TEST(Legacy, ArgumentErrors) {
  const std::pair<Op, const char*> one[] = {{Op::EQ, "EQ"},
                                            {Op::NE, "NE"},
                                            {Op::LE, "LE"},
                                            {Op::LT, "LT"},
                                            {Op::GE, "GE"},
                                            {Op::GT, "GT"},
                                            {Op::CONTAINS, "CONTAINS"},
                                            {Op::NOT_CONTAINS, "NOT_CONTAINS"},
                                            {Op::BEGINS_WITH, "BEGINS_WITH"}};
  auto count = [](const std::string& name) {
    return std::string(kInvalid) + "Invalid number of argument(s) for the " + name +
           " ComparisonOperator";
  };
  for (const auto& [comparison, name] : one) {
    EXPECT_EQ(expected_error(compared(comparison, {})), count(name));
    EXPECT_EQ(expected_error(compared(comparison, {s("1"), s("2")})), count(name));
  }
  EXPECT_EQ(expected_error(compared(Op::IN, {})), count("IN"));
  EXPECT_EQ(expected_error(compared(Op::BETWEEN, {n("1")})), count("BETWEEN"));
  EXPECT_EQ(expected_error(compared(Op::NULL_, {n("1")})), count("NULL"));
  EXPECT_EQ(expected_error(compared(Op::NOT_NULL, {n("1")})), count("NOT_NULL"));
  EXPECT_EQ(
      expected_error(compared(Op::IN, {n("1"), s("1")})),
      std::string(kInvalid) + "AttributeValues inside AttributeValueList must be of same type");
  EXPECT_EQ(expected_error(compared(Op::LE, {list({})})),
            std::string(kInvalid) + "ComparisonOperator LE is not valid for L AttributeValue type");
  EXPECT_EQ(expected_error(compared(Op::BEGINS_WITH, {n("1")})),
            std::string(kInvalid) +
                "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type");
  EXPECT_EQ(expected_error(compared(Op::CONTAINS, {ss({"a"})})),
            std::string(kInvalid) +
                "ComparisonOperator CONTAINS is not valid for SS AttributeValue type");
  EXPECT_EQ(expected_error(compared(Op::BETWEEN, {n("2"), n("1")})),
            "The BETWEEN condition was provided a range where the lower bound is greater than the "
            "upper bound");
}

Result<UpdateOutcome, std::string> update(const LegacyUpdates& updates, const Item& old) {
  return update_from_attribute_updates(updates).value().apply(old);
}

TEST(Legacy, Updates) {
  using enum LegacyAction;
  Item old{{"n", n("5")}, {"s", s("x")}, {"ss", ss({"a", "b"})}, {"l", list({n("1")})}};
  Item expected{{"n", n("7")},
                {"new", n("1")},
                {"s", s("y")},
                {"ss", ss({"a"})},
                {"l", list({n("1"), n("2")})}};
  auto outcome = update({{"n", {ADD, n("2")}},
                         {"new", {ADD, n("1")}},
                         {"s", {PUT, s("y")}},
                         {"ss", {DELETE, ss({"b", "c"})}},
                         {"l", {ADD, list({n("2")})}},
                         {"gone", {DELETE, std::nullopt}},
                         {"gone2", {DELETE, ss({"a"})}}},
                        old);
  EXPECT_EQ(outcome.value().item, expected);
  EXPECT_EQ(project(old, outcome.value().updated), old);
  EXPECT_EQ(
      update({{"s", {DELETE, std::nullopt}}, {"ss", {DELETE, ss({"a", "b"})}}}, old).value().item,
      (Item{{"l", list({n("1")})}, {"n", n("5")}}));
  EXPECT_EQ(update({{"n", {ADD, ss({"a"})}}}, old).error(),
            "Type mismatch for attribute to update");
  EXPECT_EQ(update({{"s", {DELETE, ss({"a"})}}}, old).error(),
            "Type mismatch for attribute to update");
  EXPECT_EQ(update({}, old).value().item, old);
  EXPECT_FALSE(update_from_attribute_updates({}).value().only_deletes());
  EXPECT_TRUE(
      update_from_attribute_updates({{"a", {DELETE, std::nullopt}}}).value().only_deletes());
}

TEST(Legacy, UpdateErrors) {
  using enum LegacyAction;
  auto error = [](LegacyUpdate each) {
    auto parsed = update_from_attribute_updates({{"a", std::move(each)}});
    return parsed.ok() ? "" : parsed.error();
  };
  EXPECT_EQ(
      error({PUT, std::nullopt}),
      std::string(kInvalid) + "Only DELETE action is allowed when no attribute value is specified");
  EXPECT_EQ(error({DELETE, n("1")}),
            std::string(kInvalid) + "DELETE action with value is not supported for the type N");
  EXPECT_EQ(error({ADD, s("1")}),
            std::string(kInvalid) + "ADD action is not supported for the type S");
  model::KeySchema schema{{"a", model::AttributeType::S}, std::nullopt};
  EXPECT_EQ(
      update_from_attribute_updates({{"a", {PUT, n("1")}}}).value().check_keys(schema).error(),
      std::string(kInvalid) + "Cannot update attribute a. This attribute is part of the key");
}

TEST(Legacy, KeyConditions) {
  model::KeySchema schema{{"a", model::AttributeType::S},
                          model::KeyAttribute{"b", model::AttributeType::S}};
  auto error = [&schema](const LegacyConditions& conditions) {
    auto parsed = key_condition_from_legacy(conditions, schema);
    return parsed.ok() ? "" : parsed.error();
  };
  auto parsed = key_condition_from_legacy(
      {{"a", {Op::EQ, {s("x")}}}, {"b", {Op::BETWEEN, {s("1"), s("2")}}}}, schema);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->partition, s("x"));
  EXPECT_EQ(parsed->sort_operator, SortOperator::between);
  EXPECT_EQ(parsed->sort, s("1"));
  EXPECT_EQ(parsed->upper, s("2"));
  for (auto op : {Op::NULL_, Op::NOT_NULL}) {
    EXPECT_EQ(error({{"a", {op, {}}}}),
              "Attempted conditional constraint is not an indexable operation");
  }
  for (auto op : {Op::NE, Op::IN, Op::CONTAINS, Op::NOT_CONTAINS}) {
    EXPECT_EQ(error({{"a", {Op::EQ, {s("x")}}}, {"b", {op, {s("x")}}}}),
              "Attempted conditional constraint is not an indexable operation");
  }
  EXPECT_EQ(error({}), "Conditions can be of length 1 or 2 only");
  EXPECT_EQ(error({{"b", {Op::EQ, {s("x")}}}}), "Query condition missed key schema element: a");
  EXPECT_EQ(error({{"a", {Op::LT, {s("x")}}}}), "Query key condition not supported");
}

TEST(Legacy, AttributesToGet) {
  Item item{{"a.b", n("1")}, {"c", n("2")}, {"d", n("3")}};
  EXPECT_EQ(projection_from_attributes({"a.b", "c", "x"}).value().apply(item),
            (Item{{"a.b", n("1")}, {"c", n("2")}}));
  EXPECT_EQ(projection_from_attributes({"a", "c", "a"}).error(),
            std::string(kInvalid) + "Duplicate value in attribute name: a");
}

}  // namespace
}  // namespace meridian::expr::testing
