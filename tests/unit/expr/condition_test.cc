#include "region-node/expr/condition.h"

#include <gtest/gtest.h>

#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

Item sample() {
  return {{"n", n("5")},
          {"s", s("hello")},
          {"b", b(std::string("\0\x01\xff", 3))},
          {"t", yes()},
          {"z", null()},
          {"l", list({n("1"), s("two"), list({n("3")})})},
          {"m", map({{"x", n("1")}, {"y", map({{"deep", list({s("v")})}})}})},
          {"ss", ss({"a", "b"})},
          {"ns", ns({"1", "2"})},
          {"bs", bs({"x"})},
          {"blank", s("")}};
}

struct Case {
  const char* text;
  bool expected;
};

void check(const std::vector<Case>& cases, const AttributeMap& values) {
  for (const auto& each : cases)
    EXPECT_EQ(holds(each.text, sample(), values), each.expected) << each.text;
}

TEST(Condition, EmptyHoldsAlways) {
  EXPECT_TRUE(Condition().evaluate({}));
  EXPECT_TRUE(Condition().attributes().empty());
}

TEST(Condition, Comparisons) {
  AttributeMap values{{":4", n("4")},
                      {":5", n("5")},
                      {":6", n("6")},
                      {":five", s("5")},
                      {":h", s("hello")},
                      {":i", s("i")},
                      {":b", b(std::string("\0\x02", 2))}};
  check({{"n = :5", true},          {"n = :4", false},        {"n = :five", false},
         {"gone = :5", false},      {"n <> :5", false},       {"n <> :4", true},
         {"n <> :five", true},      {"gone <> :5", true},     {":5 <> gone", true},
         {"miss1 <> miss2", true},  {"miss1 = miss2", false}, {"n < :6", true},
         {"n < :5", false},         {"n < :4", false},        {"n < :five", false},
         {"n <= :5", true},         {"n <= :4", false},       {"n > :4", true},
         {"n > :5", false},         {"n >= :5", true},        {"n >= :6", false},
         {"gone < :5", false},      {":5 > gone", false},     {"miss1 < miss2", false},
         {"miss1 >= miss2", false}, {":4 < n", true},         {":4 < :5", true},
         {":5 < :4", false},        {"s < :i", true},         {"s >= :h", true},
         {"b < :b", true},          {"b > :b", false},        {"t < n", false},
         {"l < m", false},          {"s > n", false}},
        values);
  // Numbers compare by value, not as text.
  EXPECT_TRUE(holds("a > :9", {{"a", n("10")}}, {{":9", n("9")}}));
  EXPECT_TRUE(holds("a < :9", {{"a", n("-10")}}, {{":9", n("-9")}}));
}

TEST(Condition, EqualityIsDeep) {
  AttributeMap values{{":l", list({n("1"), s("two"), list({n("3")})})},
                      {":l2", list({s("two"), n("1"), list({n("3")})})},
                      {":m", map({{"x", n("1")}, {"y", map({{"deep", list({s("v")})}})}})},
                      {":ss", ss({"a", "b"})},
                      {":t", yes()},
                      {":f", no()},
                      {":z", null()}};
  check({{"l = :l", true},
         {"l = :l2", false},
         {"m = :m", true},
         {"ss = :ss", true},
         {"t = :t", true},
         {"t = :f", false},
         {"z = :z", true},
         {"z = :f", false},
         {"m <> :l", true}},
        values);
}

TEST(Condition, Between) {
  AttributeMap values{
      {":1", n("1")}, {":5", n("5")}, {":9", n("9")}, {":a", s("a")}, {":z", s("z")}};
  check({{"n BETWEEN :1 AND :9", true},
         {"n BETWEEN :5 AND :5", true},
         {"n BETWEEN :1 AND :1", false},
         {"s BETWEEN :a AND :z", true},
         {"n BETWEEN :a AND :z", false},
         {"gone BETWEEN :1 AND :9", false},
         {"n BETWEEN gone AND :9", false},
         {"n BETWEEN :1 AND gone", false},
         {":5 BETWEEN m.x AND n", true},
         {"n BETWEEN :9 AND m.x", false},
         {"(n)between(:1)and(:9)", true},
         {"size(l) BETWEEN :1 AND :5", true},
         {"n BETWEEN :1 AND :9 AND s BETWEEN :a AND :z", true},
         {"n BETWEEN s AND :9", false}},
        values);
}

TEST(Condition, In) {
  AttributeMap values{{":1", n("1")}, {":5", n("5")}, {":s", s("5")}};
  check({{"n IN (:5)", true},
         {"n IN (:1, :s)", false},
         {"n IN (:s, :5, :1)", true},
         {"gone IN (:1)", false},
         {"n IN (gone, :5)", true},
         {"n IN (gone)", false},
         {":1 IN (n, m.x)", true},
         {"size(l) IN (:1, :5)", false}},
        values);
}

TEST(Condition, Functions) {
  AttributeMap values{{":N", s("N")},
                      {":S", s("S")},
                      {":NULL", s("NULL")},
                      {":SS", s("SS")},
                      {":he", s("he")},
                      {":e", s("")},
                      {":b", b(std::string("\0", 1))},
                      {":a", s("a")},
                      {":1", n("1")},
                      {":3", n("3")},
                      {":two", s("two")},
                      {":l3", list({n("3")})},
                      {":x", b("x")},
                      {":ll", s("ll")},
                      {":ff", b("\xff")}};
  check({{"attribute_exists(n)", true},
         {"attribute_exists(m.y.deep[0])", true},
         {"attribute_exists(m.y.deep[1])", false},
         {"attribute_exists(m[0])", false},
         {"attribute_exists(l.x)", false},
         {"attribute_exists(gone)", false},
         {"attribute_not_exists(gone)", true},
         {"attribute_not_exists(z)", false},
         {"attribute_type(n, :N)", true},
         {"attribute_type(n, :S)", false},
         {"attribute_type(z, :NULL)", true},
         {"attribute_type(ss, :SS)", true},
         {"attribute_type(gone, :S)", false},
         {"attribute_type(:1, :N)", true},
         {"begins_with(s, :he)", true},
         {"begins_with(s, :e)", true},
         {"begins_with(s, :a)", false},
         {"begins_with(n, :he)", false},
         {"begins_with(b, :b)", true},
         {"begins_with(b, :he)", false},
         {"begins_with(gone, :he)", false},
         {"begins_with(:he, gone)", false},
         {"contains(s, :ll)", true},
         {"contains(s, :a)", false},
         {"contains(s, :e)", true},
         {"contains(b, :ff)", true},
         {"contains(ss, :a)", true},
         {"contains(ss, :he)", false},
         {"contains(ns, :1)", true},
         {"contains(ns, :3)", false},
         {"contains(bs, :x)", true},
         {"contains(l, :1)", true},
         {"contains(l, :two)", true},
         {"contains(l, :l3)", true},
         {"contains(l, :3)", false},
         {"contains(n, :1)", false},
         {"contains(ss, :1)", false},
         {"contains(m, :two)", false},
         {"contains(gone, :1)", false}},
        values);
}

// A part that nearly matches at every place of the whole: it would take hours to compare it at each.
TEST(Condition, ContainsTakesNoQuadraticTime) {
  std::string whole(8'000'000, 'a');
  std::string part = std::string(4'000'000, 'a') + "b";
  AttributeMap values{{":s", s(part)}, {":b", b(part)}};
  std::string text = "contains(s, :s) OR contains(b, :b)";
  for (int i = 0; i < 10; ++i) text += " OR contains(s, :s) OR contains(b, :b)";
  EXPECT_FALSE(holds(text, {{"s", s(whole)}, {"b", b(whole)}}, values));
  EXPECT_TRUE(holds("contains(s, :s) AND contains(b, :b)",
                    {{"s", s(whole + "b")}, {"b", b(whole + "b")}}, values));
}

TEST(Condition, Size) {
  AttributeMap values{{":0", n("0")}, {":1", n("1")}, {":2", n("2")},
                      {":3", n("3")}, {":5", n("5")}, {":s", s("5")}};
  check({{"size(s) = :5", true},
         {"size(b) = :3", true},
         {"size(l) = :3", true},
         {"size(m) = :2", true},
         {"size(ss) = :2", true},
         {"size(ns) = :2", true},
         {"size(bs) = :1", true},
         {"size(blank) = :0", true},
         {"size(s) = :s", false},
         {"size(n) = :1", false},
         {"size(t) = :1", false},
         {"size(gone) = :0", false},
         {"size(n) <> :1", true},
         {"size(s) > :3", true},
         {":5 = size(s)", true},
         {"size(s) = n", true},
         {"(size(s)) >= (size(l))", true},
         {"size(:s) = :1", true}},
        values);
}

TEST(Condition, Logic) {
  AttributeMap values{{":t", n("5")}, {":f", n("4")}};
  check({{"n = :t AND n = :t", true},
         {"n = :t AND n = :f", false},
         {"n = :f OR n = :t", true},
         {"n = :f OR n = :f", false},
         {"NOT n = :f", true},
         {"NOT NOT n = :t", true},
         {"NOT NOT NOT n = :t", false},
         {"NOT (n = :t AND n = :f)", true},
         // NOT binds tighter than AND, AND tighter than OR.
         {"NOT n = :t OR n = :t", true},
         {"n = :t OR n = :t AND n = :f", true},
         {"(n = :t OR n = :t) AND n = :f", false},
         {"n = :f AND n = :f OR n = :t", true},
         {"n = :f AND (n = :f OR n = :t)", false},
         {"NOT n = :t AND n = :f", false},
         {"(n = :t) AND (n = :t)", true},
         {"((n = :t) AND (n = :t))", true},
         {"(attribute_exists(n))", true},
         {"(attribute_exists(n) AND n = :t)", true},
         {"(n) = (:t)", true},
         {"(m.y).deep[0] <> (:t)", true},
         {"((n) = :t)", true}},
        values);
}

TEST(Condition, ListsWhatItReads) {
  Names names{{"#n", "x.y"}};
  AttributeMap values{{":v", n("1")}};
  Placeholders placeholders(&names, &values);
  auto condition = parse_condition("a.b = :v AND (size(#n) < c OR NOT attribute_exists(d[0]))",
                                   Parameter::filter, placeholders);
  ASSERT_TRUE(condition.ok());
  EXPECT_EQ(condition->attributes(), (std::set<std::string>{"a", "c", "d", "x.y"}));
  model::KeySchema schema{{"a", model::AttributeType::S}, std::nullopt};
  EXPECT_EQ(check_key_paths(schema, condition->paths()).error(),
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
            "allowed: Key: a");
  schema.partition.name = "c";
  EXPECT_TRUE(check_key_paths(schema, condition->paths()).ok());
  schema.sort = {"d", model::AttributeType::S};
  EXPECT_FALSE(check_key_paths(schema, condition->paths()).ok());
}

}  // namespace
}  // namespace meridian::expr::testing
