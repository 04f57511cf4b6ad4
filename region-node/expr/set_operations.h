// Union and difference of DynamoDB's sets.  Pure.
// REQUIRES (both): two sets of the same type, sorted and unique.
#pragma once

#include <optional>

#include "region-node/model/attribute_value.h"

namespace meridian::expr {

model::AttributeValue set_union(const model::AttributeValue& a, const model::AttributeValue& b);
// Empty when nothing is left: there are no empty sets.
std::optional<model::AttributeValue> set_difference(const model::AttributeValue& a,
                                                    const model::AttributeValue& b);

}  // namespace meridian::expr
