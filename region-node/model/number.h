// DynamoDB numbers: decimals of up to 38 significant digits, magnitudes 1E-130 to 9.9...E+125.
//
// Canonical text is what DynamoDB answers with: no leading or trailing zeros, no plus sign, plain
// notation ("0.001", "1200"); equal numbers have equal canonical text.
// Pure.  Threads: any.
// Source: DynamoDB developer guide, "Number"; exact error texts as AWS answers them.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/result.h"

namespace meridian::model {

// The error is the text of AWS's ValidationException.
Result<std::string, std::string> canonical_number(std::string_view text);

// REQUIRES (all): canonical text.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b);
Result<std::string, std::string> add_numbers(std::string_view a, std::string_view b);
Result<std::string, std::string> subtract_numbers(std::string_view a, std::string_view b);

// Bytes whose memcmp order is numeric order, self-delimiting, for keys; and back to canonical text.
void encode_number_ordered(Bytes& out, std::string_view canonical);
std::optional<std::string> decode_number_ordered(BytesView& in);

}  // namespace meridian::model
