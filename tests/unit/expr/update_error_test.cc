#include <gtest/gtest.h>

#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

AttributeMap values_of_every_type() {
  return {{":s", s("a")},     {":n", n("1")},    {":b", b("a")},  {":t", yes()},
          {":z", null()},     {":l", list({})},  {":m", map({})}, {":ss", ss({"a"})},
          {":ns", ns({"1"})}, {":bs", bs({"a"})}};
}

std::string parse_error(std::string_view text, const Names& names = {{"#c", "c"}, {"#d", "[3]"}}) {
  std::string error = update_error(text, values_of_every_type(), names);
  const std::string prefix = "Invalid UpdateExpression: ";
  EXPECT_TRUE(error.empty() || error.starts_with(prefix)) << error;
  return error.empty() ? "" : error.substr(prefix.size());
}

std::string apply_error(std::string_view text, const Item& old) {
  auto outcome = apply(text, old, values_of_every_type());
  return outcome.ok() ? "" : outcome.error();
}

TEST(UpdateErrors, Sections) {
  const std::pair<const char*, const char*> cases[] = {
      {"set a = #x set c = :d", "SET"},
      {"remove #x set a = b remove e", "REMOVE"},
      {"add #x :e set a = b add e :f", "ADD"},
      {"delete #x :e set a = b delete #e :f", "DELETE"},
  };
  for (const auto& [text, section] : cases) {
    EXPECT_EQ(parse_error(text), std::string("The \"") + section +
                                     "\" section can only be used once in an update expression;");
  }
}

TEST(UpdateErrors, Paths) {
  const std::string rewrite = "must remove or rewrite one of these paths; path one: ";
  const std::tuple<const char*, const char*, const char*> overlaps[] = {
      {"set a = :n, a.b = :n", "[a]", "[a, b]"},
      {"set a = :n remove a", "[a]", "[a]"},
      {"set d[1] = a, d.b = a, c[1].a = a, #c = if_not_exists(a)", "[c, [1], a]", "[c]"},
      {"set #c[3].#d = a, #c[3] = a", "[c, [3], [3]]", "[c, [3]]"},
  };
  for (const auto& [text, one, two] : overlaps) {
    EXPECT_EQ(parse_error(text), "Two document paths overlap with each other; " + rewrite + one +
                                     ", path two: " + two);
  }
  const std::tuple<const char*, const char*, const char*> conflicts[] = {
      {"set #c[3].#d = a, #c.#d[3] = if_not_exists(a)", "[c, [3], [3]]", "[c, [3], [3]]"},
      {"remove a.#c set a[1] = #d", "[a, c]", "[a, [1]]"},
  };
  for (const auto& [text, one, two] : conflicts) {
    EXPECT_EQ(parse_error(text), "Two document paths conflict with each other; " + rewrite + one +
                                     ", path two: " + two);
  }
  EXPECT_EQ(parse_error("set a.b = :n, a.c = :n, a.d[0] = a remove a.d[1]"), "");
}

TEST(UpdateErrors, Functions) {
  EXPECT_EQ(parse_error("set #x = if_not_exist(:c) set c = d"),
            "Invalid function name; function: if_not_exist");
  EXPECT_EQ(parse_error("set a = LIST_APPEND(a, b)"),
            "Invalid function name; function: LIST_APPEND");
  EXPECT_EQ(parse_error("set a = size(b)"),
            "The function is not allowed in an update expression; function: size");
  EXPECT_EQ(parse_error("set a = list_append(list_append(b, c), d)"),
            "The function is not allowed to be used this way in an expression; function: "
            "list_append");
  for (const char* function : {"if_not_exists", "list_append"}) {
    EXPECT_EQ(parse_error(std::string("set a = ") + function + "(c)"),
              std::string("Incorrect number of operands for operator or function; operator or "
                          "function: ") +
                  function + ", number of operands: 1");
  }
  for (const char* text :
       {"set a = if_not_exists(:n, c)", "set a = if_not_exists(if_not_exists(a, b), c)"}) {
    EXPECT_EQ(parse_error(text),
              "Operator or function requires a document path; operator or function: "
              "if_not_exists");
  }
  EXPECT_EQ(parse_error("set a = if_not_exists(:x, c)"),
            "An expression attribute value used in expression is not defined; attribute value: :x");
}

TEST(UpdateErrors, OperandTypes) {
  const std::tuple<const char*, const char*, const char*> types[] = {
      {":s", "S", "STRING"},     {":n", "N", "NUMBER"},  {":b", "B", "BINARY"},
      {":t", "BOOL", "BOOLEAN"}, {":z", "NULL", "NULL"}, {":l", "L", "LIST"},
      {":m", "M", "MAP"},        {":ss", "SS", ""},      {":ns", "NS", ""},
      {":bs", "BS", ""},
  };
  const std::string wrong =
      "Incorrect operand type for operator or function; operator or function: ";
  const std::string clause = "Incorrect operand type for operator or function; operator: ";
  for (const auto& [value, type, long_name] : types) {
    const std::string operand = value;
    if (operand != ":n") {
      EXPECT_EQ(parse_error("set a = a + " + operand), wrong + "+, operand type: " + type);
      EXPECT_EQ(parse_error("set a = " + operand + " - a"), wrong + "-, operand type: " + type);
    }
    if (operand != ":l") {
      EXPECT_EQ(parse_error("set a = list_append(a, " + operand + ")"),
                wrong + "list_append, operand type: " + type);
      EXPECT_EQ(parse_error("set a = list_append(" + operand + ", a)"),
                wrong + "list_append, operand type: " + type);
    }
    const std::string name = long_name;
    std::string add = name.empty() || operand == ":n" ? "" : clause + "ADD, operand type: " + name;
    EXPECT_EQ(parse_error("add a.b " + operand), add);
    std::string remove = name.empty() ? "" : clause + "DELETE, operand type: " + name;
    EXPECT_EQ(parse_error("delete a.b " + operand), remove);
  }
  // What is wrong in ADD comes before what is wrong in functions.
  EXPECT_EQ(parse_error("set b = list_append(:s, a), c = if_not_exists(a) add a.b :s"),
            clause + "ADD, operand type: STRING");
}

TEST(UpdateErrors, MissingAttributes) {
  const std::string missing =
      "The provided expression refers to an attribute that does not exist in the item";
  for (const char* text : {"set a = b", "set a = b + :n", "set a = :n - b", "set a = l[3]",
                           "set a = list_append(b, :l)", "set a = list_append(:l, b)",
                           "set a = if_not_exists(b, c)", "set a = l.x", "set a = l[0].x"}) {
    EXPECT_EQ(apply_error(text, {{"l", list({n("1")})}}), missing) << text;
  }
}

TEST(UpdateErrors, WrongTypesInTheItem) {
  const std::string wrong = "An operand in the update expression has an incorrect data type";
  Item old{{"str", s("a")}, {"num", n("1")}, {"l", list({})}, {"ss", ss({"a"})}};
  for (const char* text : {"set a = str + :n", "set a = :n - ss", "set a = list_append(num, :l)",
                           "set a = list_append(:l, str)", "add str :n", "add num :ss",
                           "add ss :ns", "delete ss :ns", "delete num :ss", "add l :ss"}) {
    EXPECT_EQ(apply_error(text, old), wrong) << text;
  }
}

TEST(UpdateErrors, InvalidPaths) {
  const std::string invalid =
      "The document path provided in the update expression is invalid for update";
  Item old{{"str", s("a")}, {"l", list({s("x")})}, {"m", map({{"x", n("1")}})}};
  for (const char* text :
       {"set str.c = :n", "set l.c = :n", "set c.c = :n", "remove str.c", "remove l.c",
        "remove c.c", "set str[0] = :n", "set c[0] = :n", "remove str[0]", "remove c[0]",
        "set m[0] = :n", "set m.y.z = :n", "remove m.y.z", "add c.c :n", "delete c.c :ss",
        "set l[1][0] = :n", "set l[0].x = :n"}) {
    EXPECT_EQ(apply_error(text, old), invalid) << text;
  }
  Placeholders none;
  EXPECT_FALSE(parse_update("set c.c = c", none).value().create({}).ok());
}

TEST(UpdateErrors, Limits) {
  AttributeMap values{{":v", s(std::string(200 * 1024, 'x'))},
                      {":big", n("9" + std::string(125, '0'))},
                      {":half", s(std::string(200 * 1024 - 2, 'x'))}};
  EXPECT_EQ(apply("set a = :v, b = :v", {}, values).error(),
            "Item size to update has exceeded the maximum allowed size");
  EXPECT_TRUE(apply("set a = :v, b = :half", {}, values).ok());
  // Nothing is evaluated after the values that are too much for an item.
  EXPECT_EQ(apply("set a = :v, b = :v, c = :v, d = gone", {}, values).error(),
            "Item size to update has exceeded the maximum allowed size");
  AttributeMap set{{":s", ss({std::string(200 * 1024, 'x')})}};
  EXPECT_EQ(apply("add a :s, b :s, c :s, d.gone :s", {}, set).error(),
            "Item size to update has exceeded the maximum allowed size");
  EXPECT_EQ(apply("set a = :big + :big", {}, values).error(),
            "Number overflow. Attempting to store a number with magnitude larger than supported "
            "range");
  EXPECT_EQ(apply("add a :big", {{"a", values[":big"]}}, values).error(),
            "Number overflow. Attempting to store a number with magnitude larger than supported "
            "range");
  AttributeValue deep = null();
  for (int i = 0; i < 32; ++i) deep = list({deep});
  values = {{":d", deep}};
  EXPECT_TRUE(apply("set a = :d", {}, values).ok());
  EXPECT_EQ(apply("set a.b = :d", {{"a", map({})}}, values).error(),
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit");
}

TEST(UpdateErrors, KeyAttributes) {
  model::KeySchema schema{{"pk", model::AttributeType::S},
                          model::KeyAttribute{"sk", model::AttributeType::N}};
  auto key_error = [&schema](std::string_view text) {
    AttributeMap values = values_of_every_type();
    Placeholders placeholders(nullptr, &values);
    auto checked = parse_update(text, placeholders).value().check_keys(schema);
    return checked.ok() ? "" : checked.error();
  };
  auto expected = [](const std::string& name) {
    return "One or more parameter values were invalid: Cannot update attribute " + name +
           ". This attribute is part of the key";
  };
  EXPECT_EQ(key_error("set a = :n, pk = :n"), expected("pk"));
  EXPECT_EQ(key_error("remove pk.x"), expected("pk"));
  EXPECT_EQ(key_error("add sk :n"), expected("sk"));
  EXPECT_EQ(key_error("delete sk :ss"), expected("sk"));
  EXPECT_EQ(key_error("set a = sk + :n, b = if_not_exists(pk, :n)"), "");
  EXPECT_EQ(key_error("set a = if_not_exists(b, pk.c)"),
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
            "allowed: Key: pk");
  EXPECT_TRUE(Update().check_keys(schema).ok());
}

}  // namespace
}  // namespace meridian::expr::testing
