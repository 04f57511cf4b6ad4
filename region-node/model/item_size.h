// Item size by DynamoDB's rule: UTF-8 bytes of names and values, numbers by digits, 3 bytes per
// container plus 1 per element.  Used for the 400 KB limit, SizeBytes, capacity units and 1 MB pages.
// Source: DynamoDB developer guide, "DynamoDB item sizes and formats".
#pragma once

#include <cstddef>

#include "region-node/model/attribute_value.h"

namespace meridian::model {

std::size_t value_size(const AttributeValue& value);
std::size_t item_size(const Item& item);
// Nesting depth: 0 for a scalar, 1 for a list or map of scalars.
std::size_t nesting(const AttributeValue& value);

}  // namespace meridian::model
