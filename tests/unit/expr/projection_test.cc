#include "region-node/expr/projection.h"

#include <gtest/gtest.h>

#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

Item projected(std::string_view text, const Item& item, const Names& names = {}) {
  Placeholders placeholders(&names, nullptr);
  return parse_projection(text, placeholders).value().apply(item);
}

TEST(Projection, Paths) {
  Item item{{"p", s("key")},
            {"a", map({{"b", list({n("2"), n("4"), map({{"x", s("hi")}, {"y", s("yo")}})})},
                       {"c", n("5")}})},
            {"b", s("hello")},
            {"a.b", s("dotted")}};
  const std::pair<const char*, Item> cases[] = {
      {"a", {{"a", item["a"]}}},
      {"a.b", {{"a", map({{"b", *find_value(item, {"a", {"b"}})}})}}},
      {"a.b[0]", {{"a", map({{"b", list({n("2")})}})}}},
      {"a.b[2]", {{"a", map({{"b", list({map({{"x", s("hi")}, {"y", s("yo")}})})}})}}},
      {"a.b[2].y", {{"a", map({{"b", list({map({{"y", s("yo")}})})}})}}},
      {"x", {}},
      {"a.b[3]", {}},
      {"a.x", {}},
      {"a.x.y", {}},
      {"a.b[3].x", {}},
      {"a.b.x", {}},
      {"a[0]", {}},
      {"a.b[0].x", {}},
      {"a.b[0][0]", {}},
      {"a.b[0],a.b[1]", {{"a", map({{"b", list({n("2"), n("4")})}})}}},
      {"a.b[1] , a.b[0]", {{"a", map({{"b", list({n("2"), n("4")})}})}}},
      {"a.b[2].x,a.b[0]", {{"a", map({{"b", list({n("2"), map({{"x", s("hi")}})})}})}}},
      {"a.b[0],a.c", {{"a", map({{"b", list({n("2")})}, {"c", n("5")}})}}},
      {"a.c,b", {{"a", map({{"c", n("5")}})}, {"b", s("hello")}}},
      {"a.x, a.b[0], x, a.b[3].x", {{"a", map({{"b", list({n("2")})}})}}},
      {"p, b", {{"p", s("key")}, {"b", s("hello")}}},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(projected(text, item), expected) << text;
  EXPECT_EQ(projected("#d", item, {{"#d", "a.b"}}), (Item{{"a.b", s("dotted")}}));
  EXPECT_EQ(projected("#a.#c", item, {{"#a", "a"}, {"#c", "c"}}),
            (Item{{"a", map({{"c", n("5")}})}}));
  EXPECT_EQ(projected("a.b", {}), Item{});
}

TEST(Projection, OverlapsAndConflicts) {
  const std::string rewrite = "must remove or rewrite one of these paths; path one: ";
  const std::tuple<const char*, const char*, const char*> overlaps[] = {
      {"a, a", "[a]", "[a]"},
      {"a, b, a.b", "[a]", "[a, b]"},
      {"a.b, a", "[a, b]", "[a]"},
      {"a.b[0],a.b[0]", "[a, b, [0]]", "[a, b, [0]]"},
      {"a.b.d.e, x, a.b", "[a, b, d, e]", "[a, b]"},
  };
  for (const auto& [text, one, two] : overlaps) {
    EXPECT_EQ(projection_error(text),
              "Invalid ProjectionExpression: Two document paths overlap with each other; " +
                  rewrite + one + ", path two: " + two);
  }
  const std::tuple<const char*, const char*, const char*> conflicts[] = {
      {"a.b, a[1]", "[a, b]", "[a, [1]]"},
      {"a.b[1], a.b.c", "[a, b, [1]]", "[a, b, c]"},
  };
  for (const auto& [text, one, two] : conflicts) {
    EXPECT_EQ(projection_error(text),
              "Invalid ProjectionExpression: Two document paths conflict with each other; " +
                  rewrite + one + ", path two: " + two);
  }
  for (const char* text : {"a, b", "a.b, a.c", "a.b.d, a.b.e", "a[1], a[2]", "a.b, a.c[2]"})
    EXPECT_EQ(projection_error(text), "") << text;
}

TEST(Projection, NamesResolvedBeforeOverlapIsSought) {
  EXPECT_NE(projection_error("#x, a", {{"#x", "a"}}), "");
  EXPECT_EQ(projection_error("#x, a", {{"#x", "b"}}), "");
}

}  // namespace
}  // namespace meridian::expr::testing
