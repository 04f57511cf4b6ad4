#include "region-node/expr/key_condition.h"

#include <gtest/gtest.h>

#include "common/rng.h"
#include "region-node/model/key.h"
#include "region-node/model/number.h"
#include "tests/unit/expr/support.h"

namespace meridian::expr::testing {
namespace {

using model::AttributeType;

const model::KeySchema kHashOnly{{"a", AttributeType::S}, std::nullopt};
model::KeySchema with_sort(AttributeType type) {
  return {{"a", AttributeType::S}, model::KeyAttribute{"b", type}};
}

AttributeMap values() {
  return {{":s", s("x")},   {":t", s("y")}, {":n", n("1")},   {":m", n("9")},
          {":l", list({})}, {":b", b("z")}, {":type", s("S")}};
}

Result<KeyCondition, std::string> parse(std::string_view text, const model::KeySchema& schema) {
  AttributeMap given = values();
  Placeholders placeholders(nullptr, &given);
  return parse_key_condition(text, schema, placeholders);
}

std::string error_of(std::string_view text, const model::KeySchema& schema) {
  auto parsed = parse(text, schema);
  return parsed.ok() ? "" : parsed.error();
}

TEST(KeyCondition, Operators) {
  auto schema = with_sort(AttributeType::N);
  EXPECT_EQ(parse("a = :s", schema)->sort_operator, SortOperator::any);
  EXPECT_EQ(parse("a = :s", schema)->partition, s("x"));
  const std::tuple<const char*, SortOperator, const char*> cases[] = {
      {"a = :s AND b = :n", SortOperator::equal, "1"},
      {"b = :n AND a = :s", SortOperator::equal, "1"},
      {"((b = :n) AND (a = :s))", SortOperator::equal, "1"},
      {":s = a AND :n = b", SortOperator::equal, "1"},
      {"a = :s AND b < :n", SortOperator::less, "1"},
      {"a = :s AND :n < b", SortOperator::greater, "1"},
      {"a = :s AND b <= :n", SortOperator::less_or_equal, "1"},
      {"a = :s AND :n <= b", SortOperator::greater_or_equal, "1"},
      {"a = :s AND b > :n", SortOperator::greater, "1"},
      {"a = :s AND :n > b", SortOperator::less, "1"},
      {"a = :s AND b >= :n", SortOperator::greater_or_equal, "1"},
      {"a = :s AND :n >= b", SortOperator::less_or_equal, "1"},
      {"a = :s AND b between :n and :m", SortOperator::between, "1"},
  };
  for (const auto& [text, sort_operator, sort] : cases) {
    auto parsed = parse(text, schema);
    ASSERT_TRUE(parsed.ok()) << text << " " << parsed.error();
    EXPECT_EQ(parsed->partition, s("x")) << text;
    EXPECT_EQ(parsed->sort_operator, sort_operator) << text;
    EXPECT_EQ(parsed->sort, n(sort)) << text;
  }
  EXPECT_EQ(parse("a = :s AND b between :n and :m", schema)->upper, n("9"));
  auto begins = parse("begins_with(b, :t) AND a = :s", with_sort(AttributeType::S));
  EXPECT_EQ(begins->sort_operator, SortOperator::begins_with);
  EXPECT_EQ(begins->sort, s("y"));
}

TEST(KeyCondition, ErrorsOfForm) {
  auto schema = with_sort(AttributeType::S);
  const std::pair<const char*, const char*> cases[] = {
      {"", "Invalid KeyConditionExpression: The expression can not be empty;"},
      {"a = ", "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\""},
      {"dog(a, :s)", "Invalid KeyConditionExpression: Invalid function name; function: dog"},
      {"attribute_type(a, :type)",
       "Invalid operator used in KeyConditionExpression: attribute_type"},
      {"a > b and size(b) > c or a > c", "Invalid operator used in KeyConditionExpression: OR"},
      {"a in (b, size(c), d)", "Invalid operator used in KeyConditionExpression: IN"},
      {"attribute_exists(a)", "Invalid operator used in KeyConditionExpression: attribute_exists"},
      {"attribute_not_exists(a)",
       "Invalid operator used in KeyConditionExpression: attribute_not_exists"},
      {"contains(a.d, b)", "Invalid operator used in KeyConditionExpression: contains"},
      {"not a > b", "Invalid operator used in KeyConditionExpression: NOT"},
      {"a <> b", "Invalid operator used in KeyConditionExpression: <>"},
      {":s between size(b) and size(a) and b > :s",
       "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute "
       "as its first operand"},
      {"begins_with(:s, b) and a > :s",
       "Invalid condition in KeyConditionExpression: begins_with operator must have the key "
       "attribute as its first operand"},
      {"size(b) > a AND a.b > b AND b > c",
       "KeyConditionExpressions cannot contain nested operations"},
      {"a > size(b.d)", "KeyConditionExpressions cannot contain nested operations"},
      {"a between size(b) and size(a)", "KeyConditionExpressions cannot contain nested operations"},
      {"b > a.b",
       "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
       "condition"},
      {"begins_with(a, b)",
       "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
       "condition"},
      {"b.d > a AND c.d > e.f",
       "KeyConditionExpressions cannot have conditions on nested attributes"},
      {"b[0] > a", "KeyConditionExpressions cannot have conditions on nested attributes"},
      {":s > :t AND a < :s",
       "Invalid condition in KeyConditionExpression: No key attribute specified"},
      {"b > :s AND b < :s and c = :s and d = :s",
       "KeyConditionExpressions must only contain one condition per key"},
      {"(a > :s and b > :s) and (b > :s and c > :s)",
       "KeyConditionExpressions must only contain one condition per key"},
      {"a between :n and :s",
       "Invalid KeyConditionExpression: The BETWEEN operator requires same data type for lower and "
       "upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: "
       "AttributeValue: {S:x}"},
      {"begins_with(a, :n)",
       "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator "
       "or function: begins_with, operand type: N"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(error_of(text, schema), error) << text;
}

TEST(KeyCondition, ErrorsOfSchema) {
  auto schema = with_sort(AttributeType::N);
  const std::string type =
      "One or more parameter values were invalid: Condition parameter type does not match schema "
      "type";
  EXPECT_EQ(error_of("a < :s", schema), "Query key condition not supported");
  EXPECT_EQ(error_of("begins_with(a, :s)", schema), "Query key condition not supported");
  EXPECT_EQ(error_of("b = :n", schema), "Query condition missed key schema element: a");
  EXPECT_EQ(error_of("c = :n", kHashOnly), "Query condition missed key schema element: a");
  EXPECT_EQ(error_of("a = :s AND c = :n", schema), "Query condition missed key schema element: b");
  EXPECT_EQ(error_of("a = :s AND c = :n", kHashOnly), "Query key condition not supported");
  EXPECT_EQ(error_of("a = :s AND b = :n AND c = :n", schema),
            "Conditions can be of length 1 or 2 only");
  EXPECT_EQ(error_of("a = :n", schema), type);
  EXPECT_EQ(error_of("a = :s AND b = :t", schema), type);
  EXPECT_EQ(error_of("a = :s AND begins_with(b, :t)", schema), type);
  EXPECT_EQ(error_of("a = :l", schema), type);
}

bool in_range(const EncodedRange& range, const Bytes& key) {
  return key >= range.from && (!range.to || key < *range.to);
}

// The range holds exactly the keys that the condition describes.
TEST(KeyCondition, EncodedRangeAgreesWithTheComparison) {
  Rng rng(41);
  auto random_text = [&rng] {
    static constexpr char kBytes[] = {'\0', '\x01', 'a', 'b', '\xfe', '\xff'};
    std::string out;
    for (std::uint64_t i = 0; i <= rng.below(3); ++i)
      out.push_back(kBytes[rng.below(sizeof(kBytes))]);
    return out;
  };
  for (auto type : {AttributeType::S, AttributeType::N, AttributeType::B}) {
    auto schema = with_sort(type);
    auto random_sort = [&]() -> AttributeValue {
      if (type == AttributeType::N) return n(std::to_string(rng.between(-15, 15)));
      return type == AttributeType::S ? s(random_text()) : b(random_text());
    };
    for (int i = 0; i < 20'000; ++i) {
      Item item{{"a", s(random_text())}, {"b", random_sort()}};
      KeyCondition condition;
      condition.partition = rng.percent(60) ? item["a"] : s(random_text());
      auto last = type == AttributeType::N ? SortOperator::between : SortOperator::begins_with;
      condition.sort_operator =
          static_cast<SortOperator>(rng.below(static_cast<std::uint64_t>(last) + 1));
      condition.sort = rng.percent(30) ? item["b"] : random_sort();
      condition.upper = rng.percent(30) ? item["b"] : random_sort();
      static constexpr const char* kTexts[] = {"attribute_exists(b)",
                                               "b = :x",
                                               "b < :x",
                                               "b <= :x",
                                               "b > :x",
                                               "b >= :x",
                                               "b >= :x AND b <= :y",
                                               "begins_with(b, :x)"};
      std::string text = "a = :p AND ";
      text += kTexts[static_cast<std::size_t>(condition.sort_operator)];
      bool expected =
          holds(text, item,
                {{":p", condition.partition}, {":x", condition.sort}, {":y", condition.upper}});
      auto range = encoded_range(schema, condition);
      ASSERT_TRUE(range.ok()) << range.error();
      EXPECT_EQ(in_range(*range, model::encode_key(schema, item).value()), expected) << text;
    }
  }
}

TEST(KeyCondition, RangesOfTablesWithoutSortKey) {
  KeyCondition condition;
  condition.partition = s("x");
  auto range = encoded_range(kHashOnly, condition);
  EXPECT_TRUE(in_range(*range, model::encode_key(kHashOnly, {{"a", s("x")}}).value()));
  EXPECT_FALSE(in_range(*range, model::encode_key(kHashOnly, {{"a", s("x1")}}).value()));
  condition.partition = s("");
  EXPECT_EQ(encoded_range(kHashOnly, condition).error(),
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty string value. Key: a");
}

}  // namespace
}  // namespace meridian::expr::testing
