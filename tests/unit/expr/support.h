// Short names for building items and expressions in tables of cases.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "region-node/expr/condition.h"
#include "region-node/expr/key_condition.h"
#include "region-node/expr/projection.h"
#include "region-node/expr/update.h"

namespace meridian::expr::testing {

using model::AttributeList;
using model::AttributeMap;
using model::AttributeValue;
using model::Item;
using Names = Placeholders::Names;

inline AttributeValue s(std::string text) { return model::StringValue{std::move(text)}; }
inline AttributeValue n(std::string text) { return model::NumberValue{std::move(text)}; }
inline AttributeValue b(std::string bytes) { return model::BinaryValue{std::move(bytes)}; }
inline AttributeValue yes() { return true; }
inline AttributeValue no() { return false; }
inline AttributeValue null() { return model::NullValue{}; }
inline AttributeValue list(std::vector<AttributeValue> values) { return values; }
inline AttributeValue map(AttributeMap values) { return values; }
inline AttributeValue ss(std::vector<std::string> v) { return model::StringSet{std::move(v)}; }
inline AttributeValue ns(std::vector<std::string> v) { return model::NumberSet{std::move(v)}; }
inline AttributeValue bs(std::vector<std::string> v) { return model::BinarySet{std::move(v)}; }

// Parses with these placeholders; "" when it went well, else the error.
inline std::string condition_error(std::string_view text, const AttributeMap& values = {},
                                   const Names& names = {},
                                   Parameter parameter = Parameter::condition) {
  Placeholders placeholders(&names, &values);
  auto parsed = parse_condition(text, parameter, placeholders);
  return parsed.ok() ? "" : parsed.error();
}

// Fails the test where the condition does not parse.
inline bool holds(std::string_view text, const Item& item, const AttributeMap& values = {},
                  const Names& names = {}) {
  Placeholders placeholders(&names, &values);
  auto parsed = parse_condition(text, Parameter::condition, placeholders);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error();
  return parsed.ok() && parsed->evaluate(item);
}

inline std::string update_error(std::string_view text, const AttributeMap& values = {},
                                const Names& names = {}) {
  Placeholders placeholders(&names, &values);
  auto parsed = parse_update(text, placeholders);
  return parsed.ok() ? "" : parsed.error();
}

// Fails the test where the update does not parse.
inline Result<UpdateOutcome, std::string> apply(std::string_view text, const Item& old,
                                                const AttributeMap& values = {},
                                                const Names& names = {}) {
  Placeholders placeholders(&names, &values);
  auto parsed = parse_update(text, placeholders);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error();
  if (!parsed.ok()) return Err(parsed.error());
  return parsed->apply(old);
}

inline std::string projection_error(std::string_view text, const Names& names = {}) {
  Placeholders placeholders(&names, nullptr);
  auto parsed = parse_projection(text, placeholders);
  return parsed.ok() ? "" : parsed.error();
}

}  // namespace meridian::expr::testing
