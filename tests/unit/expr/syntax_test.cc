// Syntax errors, limits and placeholders, which all expressions share.
#include <gtest/gtest.h>

#include "region-node/expr/reserved_words.h"
#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

TEST(Syntax, ErrorsShowTheTokenAndItsNeighbours) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      // text, token, near
      {"a-b", "-", "a-b"},
      {"attribute_exists(car_id) AND NOT #x", "<EOF>", "#x"},
      {"attribute_exists()", ")", "()"},
      {"attribute_exists(a b)", "b", "a b)"},
      {"attribute_exists(a", "<EOF>", "a"},
      {"a", "<EOF>", "a"},
      {":a", "<EOF>", ":a"},
      {"a AND b", "AND", "a AND b"},
      {"things are not gonna be ok", "are", "things are not"},
      {"a > 4", "4", "> 4"},
      {"p=:p AND c!=:c", "!", "c!="},
      {"_a = :a", "_", "_a"},
      {"tenant:abc-", ":abc", "tenant:abc-"},
      {"a =  :b  c", "c", ":b  c"},
      {"= :a", "=", "= :a"},
      {"a = :b)", ")", ":b)"},
      {"(a = :b", "<EOF>", ":b"},
      {"a in b, c", "b", "in b,"},
      {"a IN ()", ")", "()"},
      {"a IN (:a,)", ")", ",)"},
      {"a > between", "between", "> between"},
      {"a between :a", "<EOF>", ":a"},
      {"a between :a or :b", "or", ":a or :b"},
      {"(a)between(b.(c.d))and(c)", "(", ".(c"},
      {"#$.b > a", "#", "#$"},
      {"a > :things.stuff", ".", ":things.stuff"},
      {"b[:a] > a", ":a", "[:a]"},
      {"b[] > a", "]", "[] >"},
      {"b[-1] > a", "-", "[-1"},
      {"b.c[4.5] > a", ".", "4.5"},
      {"\xc3\xbc > a", "\xc3\xbc", "\xc3\xbc >"},
      {"size(a).b > a", ".", ").b"},
      {"(size(a)).b > a", ".", ").b"},
      {"size(a)[0] > a", "[", ")[0"},
      {"(size(a))[0] > a", "[", ")[0"},
      {"a..b > a", ".", "..b"},
      {"attribute_exists(\"a\")", "\"", "(\"a"},
      {"a = b = c", "=", "b = c"},
      {"(a = b) = c", "=", ") = c"},
      {"NOT a", "<EOF>", "a"},
      {"(a) AND (b)", "AND", ") AND ("},
      {"a = (b = c)", "=", "b = c"},
      {"a = b OR", "<EOF>", "OR"},
  };
  for (const auto& [text, token, near] : cases) {
    EXPECT_EQ(condition_error(text, {{":a", n("1")}, {":b", n("1")}}),
              std::string("Invalid ConditionExpression: Syntax error; token: \"") + token +
                  "\", near: \"" + near + "\"")
        << text;
  }
}

TEST(Syntax, ErrorsOfUpdates) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"INVALID SYNTAX HERE", "INVALID", "INVALID SYNTAX"},
      {"SET", "<EOF>", "SET"},
      {"ADD hits : incr", ":", "hits : incr"},
      {"SET a = :a SET", "<EOF>", "SET"},
      {"SET _123 = :a", "_", "SET _123"},
      {"set a", "<EOF>", "a"},
      {"set a=set", "set", "=set"},
      {"set a =", "<EOF>", "="},
      {"remove a = b", "=", "a = b"},
      {"add a b", "b", "a b"},
      {"add a", "<EOF>", "a"},
      {"add a :a + :b", "+", ":a + :b"},
      {"remove a b", "b", "a b"},
      {"remove a,", "<EOF>", ","},
      {"remove :a", ":a", "remove :a"},
      {"set a b", "b", "a b"},
      {"set :a = b", ":a", "set :a ="},
      {"set a = b / c", "/", "b / c"},
      {"set a[1] = 1", "1", "= 1"},
      {"SET a = if_not_exists(a, 100)", "100", ", 100)"},
      {"SET a = if_not_exists(a, :a+:b)", "+", ":a+:b"},
      {"SET if_not_exists(a, b) = a", "(", "if_not_exists(a"},
      {"set (a = (b + c))", "(", "set (a"},
      {"set a = (b.c).d + e", ".", ").d"},
      {"set a = b + c + d", "+", "c + d"},
      {"set a = (b + c) + d", "+", ") + d"},
      {"set a = (b", "<EOF>", "b"},
  };
  for (const auto& [text, token, near] : cases) {
    EXPECT_EQ(update_error(text, {{":a", n("1")}, {":b", n("1")}}),
              std::string("Invalid UpdateExpression: Syntax error; token: \"") + token +
                  "\", near: \"" + near + "\"")
        << text;
  }
}

TEST(Syntax, ErrorsOfProjections) {
  const std::string prefix = "Invalid ProjectionExpression: ";
  EXPECT_EQ(projection_error("!!"), prefix + "Syntax error; token: \"!\", near: \"!!\"");
  EXPECT_EQ(projection_error("a[a]"), prefix + "Syntax error; token: \"a\", near: \"[a]\"");
  EXPECT_EQ(projection_error("a,"), prefix + "Syntax error; token: \"<EOF>\", near: \",\"");
  EXPECT_EQ(projection_error("a b"), prefix + "Syntax error; token: \"b\", near: \"a b\"");
  EXPECT_EQ(projection_error(":a"), prefix + "Syntax error; token: \":a\", near: \":a\"");
  EXPECT_EQ(projection_error("a[99999999999999]"),
            prefix + "List index is not within the allowable range; index: [99999999999999]");
}

TEST(Syntax, EmptyExpressions) {
  for (const char* text : {"", " ", " \t\r\n"}) {
    EXPECT_EQ(condition_error(text),
              "Invalid ConditionExpression: The expression can not be empty;");
    EXPECT_EQ(condition_error(text, {}, {}, Parameter::filter),
              "Invalid FilterExpression: The expression can not be empty;");
    EXPECT_EQ(update_error(text), "Invalid UpdateExpression: The expression can not be empty;");
    EXPECT_EQ(projection_error(text),
              "Invalid ProjectionExpression: The expression can not be empty;");
  }
}

TEST(Syntax, SizeLimit) {
  std::string text = "aa = :a";
  text += std::string(kExpressionBytesMax - text.size(), ' ');
  AttributeMap values{{":a", n("1")}};
  EXPECT_EQ(condition_error(text, values), "");
  EXPECT_EQ(condition_error(text + " ", values),
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; "
            "expression size: 4097");
  EXPECT_EQ(condition_error(text + " ", values, {}, Parameter::filter),
            "Invalid FilterExpression: Expression size has exceeded the maximum allowed size; "
            "expression size: 4097");
  EXPECT_EQ(condition_error(text + " ", values, {}, Parameter::key_condition),
            "Invalid KeyConditionExpression: Expression size has exceeded the maximum allowed "
            "size;");
  EXPECT_EQ(update_error("SET " + text, values),
            "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;");
  EXPECT_EQ(projection_error(text + " "),
            "Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size;");
}

TEST(Syntax, OperatorLimit) {
  AttributeMap values{{":a", n("1")}};
  auto repeated = [](int count) {
    std::string text = "a<:a";
    for (int i = 1; i < count; ++i) text += " OR a<:a";
    return text;
  };
  EXPECT_EQ(condition_error(repeated(300), values), "");
  EXPECT_EQ(condition_error(repeated(301), values),
            "Invalid ConditionExpression: The expression contains too many operators; operator "
            "count: 301");
}

TEST(Syntax, RemovalsAreNoOperators) {
  std::string text = "REMOVE a[0]";
  for (int i = 1; i < 500; ++i) text += ",a[" + std::to_string(i) + "]";
  EXPECT_EQ(update_error(text), "");
}

TEST(Syntax, PathLimits) {
  auto deep = [](int levels) {
    std::string text = "a";
    for (int i = 1; i < levels; ++i) text += ".b";
    return text;
  };
  EXPECT_EQ(projection_error(deep(32)), "");
  EXPECT_EQ(projection_error(deep(33)),
            "Invalid ProjectionExpression: The document path has too many nesting levels; nesting "
            "levels: 33");
  EXPECT_EQ(projection_error("a[2147483647]"), "");
  EXPECT_NE(projection_error("a[2147483648]"), "");
}

TEST(Syntax, KeywordsAndSpacesAreFree) {
  AttributeMap values{{":a", n("1")}, {":b", n("3")}};
  EXPECT_TRUE(holds(" x  BeTwEeN\n:a AnD\t:b\r\naNd nOt y iN(:a)oR z=:a", {{"x", n("2")}}, values));
  EXPECT_EQ(apply("sEt x=:a ReMoVe y", {{"y", n("1")}}, {{":a", n("7")}}).value().item,
            (Item{{"x", n("7")}}));
}

TEST(Syntax, Placeholders) {
  EXPECT_TRUE(holds("#a.#1.#_x[0] = :0", {{"a.b", map({{"#", map({{"", list({s("v")})}})}})}},
                    {{":0", s("v")}}, {{"#a", "a.b"}, {"#1", "#"}, {"#_x", ""}}));
  EXPECT_EQ(condition_error("#a = :b", {{":b", n("1")}}),
            "Invalid ConditionExpression: An expression attribute name used in the document path "
            "is not defined; attribute name: #a");
  EXPECT_EQ(condition_error("a = :c", {{":b", n("1")}}),
            "Invalid ConditionExpression: An expression attribute value used in expression is not "
            "defined; attribute value: :c");
  EXPECT_EQ(update_error("SET #a = :b", {{":b", n("1")}}),
            "Invalid UpdateExpression: An expression attribute name used in the document path is "
            "not defined; attribute name: #a");
  EXPECT_EQ(update_error("SET a = :b"),
            "Invalid UpdateExpression: An expression attribute value used in expression is not "
            "defined; attribute value: :b");
  EXPECT_EQ(projection_error("a.#a"),
            "Invalid ProjectionExpression: An expression attribute name used in the document path "
            "is not defined; attribute name: #a");
  Placeholders none;
  EXPECT_FALSE(parse_condition("#a = :b", Parameter::condition, none).ok());
}

std::string maps_error(const Names* names, const AttributeMap* values) {
  auto checked = Placeholders(names, values).check_maps();
  return checked.ok() ? "" : checked.error();
}

TEST(Syntax, PlaceholderMaps) {
  Names empty_names;
  AttributeMap empty_values;
  EXPECT_EQ(maps_error(nullptr, nullptr), "");
  EXPECT_EQ(maps_error(&empty_names, nullptr), "ExpressionAttributeNames must not be empty");
  EXPECT_EQ(maps_error(nullptr, &empty_values), "ExpressionAttributeValues must not be empty");
  for (const char* key : {"a", "#", "#a-b", ":a", "", "#a "}) {
    Names names{{key, "a"}};
    EXPECT_EQ(maps_error(&names, nullptr),
              std::string("ExpressionAttributeNames contains invalid key: Syntax error; key: \"") +
                  key + "\"");
  }
  AttributeMap values{{"a", n("1")}};
  EXPECT_EQ(maps_error(nullptr, &values),
            "ExpressionAttributeValues contains invalid key: Syntax error; key: \"a\"");
  Names names{{"#_", "a"}, {"#1a", "b"}};
  AttributeMap good{{":_", n("1")}, {":1a", n("1")}};
  EXPECT_EQ(maps_error(&names, &good), "");
}

TEST(Syntax, LongPlaceholders) {
  const std::string longest(kPlaceholderBytesMax - 1, 'a');
  const std::string mistake =
      " contains invalid key: The expression attribute map contains a key that is too long;";
  Names names{{"#" + longest, "a"}};
  AttributeMap values{{":" + longest, n("1")}};
  EXPECT_EQ(maps_error(&names, &values), "");
  Names long_names{{"#" + longest + "-", "a"}};
  EXPECT_EQ(maps_error(&long_names, &values),
            "ExpressionAttributeNames" + mistake + " size of key: 256");
  AttributeMap long_values{{":" + longest + "a", n("1")}};
  EXPECT_EQ(maps_error(&names, &long_values), "ExpressionAttributeValues" + mistake);
}

TEST(Syntax, NamesThatNoAttributeHas) {
  const std::string mistake = "ExpressionAttributeNames contains invalid value: ";
  Names names{{"#a", "a"}, {"#b", ""}};
  EXPECT_EQ(maps_error(&names, nullptr), mistake + "Empty attribute name for key #b");
  names["#b"] = std::string(model::kAttributeNameBytesMax, 'x');
  EXPECT_EQ(maps_error(&names, nullptr), "");
  names["#b"] += "x";
  EXPECT_EQ(maps_error(&names, nullptr),
            mistake + "Attribute name is too large, must be less than 65536 bytes for key #b");
}

TEST(Syntax, LargePlaceholderMaps) {
  AttributeMap values{{":a", s(std::string(kPlaceholderMapBytesMax - 2, 'x'))}};
  EXPECT_EQ(maps_error(nullptr, &values), "");
  Names names{{"#a", "a"}};
  EXPECT_EQ(maps_error(&names, &values),
            "Combined size of ExpressionAttributeNames and ExpressionAttributeValues exceeds max "
            "size");
  values[":b"] = null();
  EXPECT_EQ(maps_error(nullptr, &values), "ExpressionAttributeValues exceeds max size");
  for (int i = 0; i < 33; ++i) names["#" + std::to_string(i)] = std::string(64'000, 'x');
  EXPECT_EQ(maps_error(&names, nullptr), "ExpressionAttributeNames exceeds max size");
}

TEST(Syntax, UsesOfAValueShareIt) {
  AttributeMap values{{":a", s("large")}};
  Placeholders placeholders(nullptr, &values);
  auto first = placeholders.value(":a");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(*first, values[":a"]);
  EXPECT_EQ(placeholders.value(":a"), first);
  EXPECT_EQ(placeholders.value(":b"), nullptr);
}

TEST(Syntax, UnusedPlaceholdersOverAllExpressionsOfARequest) {
  Names names{{"#a", "a"}, {"#b", "b"}, {"#c", "c"}};
  AttributeMap values{{":a", n("1")}, {":b", n("1")}, {":c", n("1")}};
  Placeholders placeholders(&names, &values);
  ASSERT_TRUE(parse_condition("#a = :a", Parameter::condition, placeholders).ok());
  EXPECT_EQ(placeholders.check_all_used().error(),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b, #c}");
  ASSERT_TRUE(parse_update("SET #b = :b, #c = :b", placeholders).ok());
  EXPECT_EQ(placeholders.check_all_used().error(),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:c}");
  ASSERT_TRUE(parse_condition("x IN (:c)", Parameter::condition, placeholders).ok());
  EXPECT_TRUE(placeholders.check_all_used().ok());
}

TEST(Syntax, ReservedWords) {
  for (const char* word : {"name", "NAME", "Name", "abort", "zone", "status", "ttl", "_", "size"})
    EXPECT_EQ(is_reserved(word), std::string(word) != "_") << word;
  for (const char* word : {"", "names1", "customer", "pk", "zonf"})
    EXPECT_FALSE(is_reserved(word)) << word;
  EXPECT_EQ(update_error("SET name = :a", {{":a", n("1")}}),
            "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: "
            "name");
  EXPECT_EQ(condition_error("a.Status = :a", {{":a", n("1")}}),
            "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: "
            "Status");
  EXPECT_EQ(projection_error("a, b.Data"),
            "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: "
            "Data");
  EXPECT_EQ(condition_error("#n = :a", {{":a", n("1")}}, {{"#n", "name"}}), "");
}

}  // namespace
}  // namespace meridian::expr::testing
