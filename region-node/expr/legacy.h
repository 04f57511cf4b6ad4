// The parameters that DynamoDB had before expressions: Expected, AttributeUpdates, KeyConditions,
// QueryFilter, ScanFilter, AttributesToGet.  The Kinesis Client Library still sends them.  Each
// function takes the parsed parameter and builds the same compiled object as its expression.
//
// Threads: pure.
// Errors: texts of AWS's ValidationException.
// Source: DynamoDB developer guide, "Legacy conditional parameters".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "region-node/expr/condition.h"
#include "region-node/expr/key_condition.h"
#include "region-node/expr/projection.h"
#include "region-node/expr/update.h"

namespace meridian::expr {

// How AWS's text begins when what a parameter says does not go together.
inline constexpr const char* kInvalidValues = "One or more parameter values were invalid: ";

enum class ComparisonOperator {
  EQ, NE, IN, LE, LT, GE, GT, BETWEEN, NOT_NULL, NULL_, CONTAINS, NOT_CONTAINS, BEGINS_WITH
};
std::optional<ComparisonOperator> parse_comparison_operator(std::string_view name);

// ConditionalOperator; AND when absent.
enum class ConditionalOperator { and_, or_ };

struct LegacyCondition {
  ComparisonOperator comparison = ComparisonOperator::EQ;
  std::vector<model::AttributeValue> values;  // AttributeValueList
};
using LegacyConditions = std::map<std::string, LegacyCondition, std::less<>>;

// Either comparison with its values, or the older Value/Exists form.
struct LegacyExpected {
  std::optional<ComparisonOperator> comparison;
  std::optional<std::vector<model::AttributeValue>> values;  // AttributeValueList
  std::optional<model::AttributeValue> value;
  std::optional<bool> exists;
};
using LegacyExpectations = std::map<std::string, LegacyExpected, std::less<>>;

enum class LegacyAction { PUT, ADD, DELETE };
std::optional<LegacyAction> parse_legacy_action(std::string_view name);
struct LegacyUpdate {
  LegacyAction action = LegacyAction::PUT;
  std::optional<model::AttributeValue> value;
};
using LegacyUpdates = std::map<std::string, LegacyUpdate, std::less<>>;

Result<Condition, std::string> condition_from_expected(const LegacyExpectations& expected,
                                                       ConditionalOperator conditional);
// QueryFilter and ScanFilter.
Result<Condition, std::string> condition_from_filter(const LegacyConditions& filter,
                                                     ConditionalOperator conditional);
Result<Update, std::string> update_from_attribute_updates(const LegacyUpdates& updates);
Result<KeyCondition, std::string> key_condition_from_legacy(const LegacyConditions& conditions,
                                                            const model::KeySchema& schema);
Result<Projection, std::string> projection_from_attributes(
    const std::vector<std::string>& attributes);

}  // namespace meridian::expr
