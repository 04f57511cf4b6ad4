// The words that DynamoDB refuses as plain attribute names in expressions.
// Source: DynamoDB developer guide, "Reserved words in DynamoDB" (573 words).
#pragma once

#include <string_view>

namespace meridian::expr {

// In upper or lower case.
bool is_reserved(std::string_view name);

}  // namespace meridian::expr
