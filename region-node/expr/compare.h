// How values compare in conditions: order, prefixes, membership and size.
//
// Values of different types never compare; an answer is then empty or false, not an error.
// Threads: pure.
// Source: DynamoDB developer guide, "Condition and filter expressions, operators, and functions".
#pragma once

#include <compare>
#include <optional>

#include "region-node/model/attribute_value.h"

namespace meridian::expr {

// Whether < <= > >= and BETWEEN take values of this type: S, N, B.
bool is_ordered(model::AttributeType type);
// Empty unless both are of the same ordered type.
std::optional<std::strong_ordering> compare_values(const model::AttributeValue& a,
                                                   const model::AttributeValue& b);
// The same type, S or B, and `value` starts with `prefix`.
bool begins_with(const model::AttributeValue& value, const model::AttributeValue& prefix);
// `part` is a substring of a string or binary, or a member of a set or list.
bool contains(const model::AttributeValue& whole, const model::AttributeValue& part);
// What size() answers; empty for types that have none.
std::optional<std::size_t> size_of(const model::AttributeValue& value);

}  // namespace meridian::expr
