// KeyCondition: which items of one partition a Query wants, and the range of encoded keys they fill.
//
// Threads: value types.
// Errors: texts of AWS's ValidationException.
// Source: DynamoDB developer guide, "Key condition expressions for the Query operation".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/result.h"
#include "region-node/expr/placeholders.h"
#include "region-node/model/table.h"

namespace meridian::expr {

enum class SortOperator {
  any,  // the whole partition
  equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  between,
  begins_with,
};

struct KeyCondition {
  model::AttributeValue partition;
  SortOperator sort_operator = SortOperator::any;
  model::AttributeValue sort;   // unless any
  model::AttributeValue upper;  // of between; inclusive
};

Result<KeyCondition, std::string> parse_key_condition(std::string_view text,
                                                      const model::KeySchema& schema,
                                                      Placeholders& placeholders);

// Encoded keys from `from` (inclusive) up to `to` (exclusive; empty for no end).
struct EncodedRange {
  Bytes from;
  std::optional<Bytes> to;
};
Result<EncodedRange, std::string> encoded_range(const model::KeySchema& schema,
                                                const KeyCondition& condition);

}  // namespace meridian::expr
