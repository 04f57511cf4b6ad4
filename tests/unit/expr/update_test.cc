#include "region-node/expr/update.h"

#include <gtest/gtest.h>

#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

Item after(std::string_view text, const Item& old, const AttributeMap& values = {},
           const Names& names = {}) {
  return apply(text, old, values, names).value().item;
}

TEST(Update, Nothing) {
  Item item{{"a", n("1")}};
  auto outcome = Update().apply(item);
  EXPECT_EQ(outcome.value().item, item);
  EXPECT_TRUE(outcome.value().updated.empty());
  EXPECT_FALSE(Update().only_deletes());
}

TEST(Update, Set) {
  EXPECT_EQ(after("SET a = :v", {}, {{":v", s("x")}}), (Item{{"a", s("x")}}));
  EXPECT_EQ(after("SET a = :v", {{"a", n("1")}}, {{":v", s("x")}}), (Item{{"a", s("x")}}));
  EXPECT_EQ(after("SET a = b, b = a", {{"a", n("1")}, {"b", n("2")}}),
            (Item{{"a", n("2")}, {"b", n("1")}}));
  EXPECT_EQ(after("SET a.b = :v", {{"a", map({})}}, {{":v", n("1")}}),
            (Item{{"a", map({{"b", n("1")}})}}));
  EXPECT_EQ(after("SET #a.#b[1] = :v", {{"a.b", map({{"c", list({n("1"), n("2")})}})}},
                  {{":v", n("9")}}, {{"#a", "a.b"}, {"#b", "c"}}),
            (Item{{"a.b", map({{"c", list({n("1"), n("9")})}})}}));
  EXPECT_EQ(
      after("SET a.z = a.c[1].x", {{"a", map({{"c", list({n("1"), map({{"x", n("7")}})})}})}}),
      (Item{{"a", map({{"c", list({n("1"), map({{"x", n("7")}})})}, {"z", n("7")}})}}));
}

TEST(Update, Arithmetic) {
  AttributeMap values{{":1", n("1")}, {":half", n("0.5")}, {":x", n("2")}};
  Item old{{"a", n("4")}};
  EXPECT_EQ(after("SET a = a + :1", old, values), (Item{{"a", n("5")}}));
  EXPECT_EQ(after("SET a = a - :half", old, values), (Item{{"a", n("3.5")}}));
  EXPECT_EQ(after("SET a = :1 - a", old, values), (Item{{"a", n("-3")}}));
  EXPECT_EQ(after("SET a = (a + :1)", old, values), (Item{{"a", n("5")}}));
  EXPECT_EQ(after("SET a = (a) + (:1)", old, values), (Item{{"a", n("5")}}));
  EXPECT_EQ(after("SET a = ((a)+(:1))", old, values), (Item{{"a", n("5")}}));
  EXPECT_EQ(after("SET a = (a)", old, values), old);
  EXPECT_EQ(after("SET b = if_not_exists(b, :x) + if_not_exists(a, :x)", old, values),
            (Item{{"a", n("4")}, {"b", n("6")}}));
}

TEST(Update, Functions) {
  AttributeMap values{{":e", list({})}, {":l", list({n("1")})}, {":v", n("7")}};
  Item old{{"l", list({n("0")})}};
  EXPECT_EQ(after("SET l = list_append(l, :l)", old, values),
            (Item{{"l", list({n("0"), n("1")})}}));
  EXPECT_EQ(after("SET l = list_append(:l, l)", old, values),
            (Item{{"l", list({n("1"), n("0")})}}));
  EXPECT_EQ(after("SET k = list_append(if_not_exists(k, :e), :l)", old, values),
            (Item{{"k", list({n("1")})}, {"l", list({n("0")})}}));
  EXPECT_EQ(after("SET l = list_append(if_not_exists(l, :e), :l)", old, values),
            (Item{{"l", list({n("0"), n("1")})}}));
  EXPECT_EQ(after("SET a = if_not_exists(a, :v)", old, values)["a"], n("7"));
  EXPECT_EQ(after("SET l = if_not_exists(l, :v)", old, values), old);
  EXPECT_EQ(after("SET a = if_not_exists(b, if_not_exists(c, :v))", old, values)["a"], n("7"));
  EXPECT_EQ(after("SET a = if_not_exists(l[0], :v)", old, values)["a"], n("0"));
}

TEST(Update, Remove) {
  Item old{{"a", n("1")}, {"b", map({{"c", list({n("1"), n("2"), n("3")})}, {"d", n("4")}})}};
  EXPECT_EQ(after("REMOVE a", old), (Item{{"b", old["b"]}}));
  EXPECT_EQ(after("REMOVE gone, b.gone, b.c[9]", old), old);
  EXPECT_EQ(after("REMOVE b.c[1], b.d", old)["b"], map({{"c", list({n("1"), n("3")})}}));
  EXPECT_EQ(after("REMOVE b.c[2], b.c[0]", old)["b"], map({{"c", list({n("2")})}, {"d", n("4")}}));
  EXPECT_EQ(after("REMOVE b.c[0], b.c[1], b.c[2]", old)["b"],
            map({{"c", list({})}, {"d", n("4")}}));
  EXPECT_EQ(after("REMOVE b.c, b.d", old)["b"], map({}));
}

TEST(Update, ListIndexesMeanTheOldList) {
  Item old{{"a", list({n("2"), n("3"), n("4"), n("5"), n("6"), n("7")})}};
  Item expected{{"a", list({n("2"), n("4"), n("17"), n("6"), n("7")})}};
  AttributeMap values{{":v", n("17")}};
  EXPECT_EQ(after("REMOVE a[1] SET a[3] = :v", old, values), expected);
  EXPECT_EQ(after("SET a[3] = :v REMOVE a[1]", old, values), expected);
}

TEST(Update, SetPastTheEndAppendsInOrderOfIndex) {
  Item old{{"a", list({n("1")})}};
  AttributeMap values{{":a", s("a")}, {":b", s("b")}, {":c", s("c")}};
  EXPECT_EQ(after("SET a[84] = :c, a[1] = :a, a[37] = :b", old, values),
            (Item{{"a", list({n("1"), s("a"), s("b"), s("c")})}}));
  EXPECT_EQ(after("SET a[9] = :a REMOVE a[0]", old, values), (Item{{"a", list({s("a")})}}));
}

TEST(Update, NestedListsOfOneUpdateDoNotDisturbEachOther) {
  Item old{{"a", list({list({n("1"), n("2")}), list({n("3"), n("4")}), n("5")})}};
  AttributeMap values{{":v", s("v")}};
  EXPECT_EQ(after("REMOVE a[2], a[0][0] SET a[1][7] = :v, a[9] = :v", old, values),
            (Item{{"a", list({list({n("2")}), list({n("3"), n("4"), s("v")}), s("v")})}}));
}

TEST(Update, Add) {
  AttributeMap values{
      {":1", n("1")}, {":ss", ss({"b", "c"})}, {":ns", ns({"9", "10"})}, {":bs", bs({"y"})}};
  EXPECT_EQ(after("ADD a :1", {}, values), (Item{{"a", n("1")}}));
  EXPECT_EQ(after("ADD a :1", {{"a", n("-3")}}, values), (Item{{"a", n("-2")}}));
  EXPECT_EQ(after("ADD a.b :1", {{"a", map({})}}, values), (Item{{"a", map({{"b", n("1")}})}}));
  EXPECT_EQ(after("ADD a[0] :1", {{"a", list({n("1")})}}, values), (Item{{"a", list({n("2")})}}));
  EXPECT_EQ(after("ADD a[5] :1", {{"a", list({n("1")})}}, values),
            (Item{{"a", list({n("1"), n("1")})}}));
  EXPECT_EQ(after("ADD a :ss", {}, values), (Item{{"a", ss({"b", "c"})}}));
  EXPECT_EQ(after("ADD a :ss", {{"a", ss({"a", "b"})}}, values),
            (Item{{"a", ss({"a", "b", "c"})}}));
  EXPECT_EQ(after("ADD a :ns", {{"a", ns({"-1", "9", "100"})}}, values),
            (Item{{"a", ns({"-1", "9", "10", "100"})}}));
  EXPECT_EQ(after("ADD a :bs", {{"a", bs({"x"})}}, values), (Item{{"a", bs({"x", "y"})}}));
}

TEST(Update, Delete) {
  AttributeMap values{{":ss", ss({"b", "c"})}, {":ns", ns({"9", "10"})}};
  EXPECT_EQ(after("DELETE a :ss", {{"a", ss({"a", "b"})}}, values), (Item{{"a", ss({"a"})}}));
  EXPECT_EQ(after("DELETE a :ss", {{"a", ss({"x"})}}, values), (Item{{"a", ss({"x"})}}));
  EXPECT_EQ(after("DELETE a :ss", {{"a", ss({"b", "c"})}}, values), Item{});
  EXPECT_EQ(after("DELETE a :ss", {}, values), Item{});
  EXPECT_EQ(after("DELETE a :ns", {{"a", ns({"9", "11"})}}, values), (Item{{"a", ns({"11"})}}));
  EXPECT_EQ(after("DELETE a[0] :ss", {{"a", list({ss({"b"}), n("1")})}}, values),
            (Item{{"a", list({n("1")})}}));
}

TEST(Update, AllClausesTogetherReadTheOldItem) {
  Item old{{"a", n("1")}, {"b", n("2")}, {"c", ss({"x"})}, {"d", n("4")}};
  AttributeMap values{{":10", n("10")}, {":x", ss({"x"})}};
  EXPECT_EQ(after("SET e = a, f = d + b ADD a :10 REMOVE d DELETE c :x", old, values),
            (Item{{"a", n("11")}, {"b", n("2")}, {"e", n("1")}, {"f", n("6")}}));
}

// UPDATED_OLD and UPDATED_NEW, as DynamoDB answers them.
TEST(Update, UpdatedPathsProject) {
  auto check = [](std::string_view text, const Item& old, const Item& updated_old,
                  const Item& updated_new) {
    AttributeMap values{{":v", n("70")}, {":w", s("w")}};
    auto outcome = apply(text, old, values);
    ASSERT_TRUE(outcome.ok()) << text;
    EXPECT_EQ(project(old, outcome->updated), updated_old) << text;
    EXPECT_EQ(project(outcome->item, outcome->updated), updated_new) << text;
  };
  Item old{{"a", map({{"b", s("dog")}, {"c", list({n("1"), n("2"), n("3")})}})}, {"d", s("cat")}};
  auto c = [](std::vector<AttributeValue> values) {
    return Item{{"a", map({{"c", list(values)}})}};
  };
  check("SET a.b = :w", old, {{"a", map({{"b", s("dog")}})}}, {{"a", map({{"b", s("w")}})}});
  check("SET a.c[1] = :v", old, c({n("2")}), c({n("70")}));
  check("SET d = :v, a.c[1] = :v", old, {{"a", c({n("2")})["a"]}, {"d", s("cat")}},
        {{"a", c({n("70")})["a"]}, {"d", n("70")}});
  check("REMOVE d", old, {{"d", s("cat")}}, {});
  check("REMOVE a.c[1], a.c[3]", old, c({n("2")}), c({n("3")}));
  check("SET a.x = :v", old, {}, {{"a", map({{"x", n("70")}})}});
  // An appended element has another index than was asked for, and is not answered.
  check("SET a.c[100] = :v", old, {}, {});
  // The element that moved up to a removed one's place is.
  check("REMOVE a.c[1]", old, c({n("2")}), c({n("3")}));
}

TEST(Update, OnlyDeletes) {
  auto only_deletes = [](std::string_view text) {
    AttributeMap values{{":v", ss({"a"})}};
    Placeholders placeholders(nullptr, &values);
    return parse_update(text, placeholders).value().only_deletes();
  };
  EXPECT_TRUE(only_deletes("REMOVE a"));
  EXPECT_TRUE(only_deletes("REMOVE a DELETE b :v"));
  EXPECT_FALSE(only_deletes("REMOVE a ADD b :v"));
  EXPECT_FALSE(only_deletes("SET a = :v"));
}

TEST(Update, CreatingIgnoresRemovedPathsThatLeadNowhere) {
  Placeholders none;
  Update update = parse_update("REMOVE x.y, w[0], z", none).value();
  Item key{{"pk", s("k")}};
  EXPECT_EQ(update.create(key).value().item, key);
  EXPECT_FALSE(update.apply(key).ok());
}

}  // namespace
}  // namespace meridian::expr::testing
