// Parameters that many operations share: table names, expressions with their placeholders, the write
// condition, the projection.
// Threads: one owner.
// Errors: into Problems, in AWS's words.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "region-node/api/call.h"
#include "region-node/api/constraints.h"
#include "region-node/expr/condition.h"
#include "region-node/expr/placeholders.h"
#include "region-node/expr/projection.h"
#include "region-node/store/table_info.h"

namespace meridian::api {

// The plain name in a TableName that may be an ARN.  Reports an ARN of another region.
std::string plain_table_name(const Services& services, std::string_view name, Problems& problems);
// The TableName of a request, checked.
std::string read_table_name(const Call& call, Constraints& constraints, Problems& problems);

// For operations on items: "Requested resource not found".
Result<store::TablePtr, ApiError> find_table(const Services& services, std::string_view name);
// For operations on tables, which say the name: "Requested resource not found: Table: T not found".
Result<store::TablePtr, ApiError> find_named_table(const Services& services, std::string_view name);
ApiError named_table_not_found(std::string_view name);

// The value, or empty after reporting the error as a ValidationException.
template <typename T>
std::optional<T> valid(Result<T, std::string> result, Problems& problems) {
  if (result) return std::move(*result);
  problems.report(ApiError::validation(std::move(result.error())));
  return std::nullopt;
}
inline void check(Result<void, std::string> result, Problems& problems) {
  if (!result) problems.report(ApiError::validation(result.error()));
}

// Reports members that belong to the old and to the new way of writing a request.
void refuse_mixture(const JsonObject& input, std::initializer_list<std::string_view> old_members,
                    std::initializer_list<std::string_view> expressions, Problems& problems);

// ExpressionAttributeNames and ExpressionAttributeValues of a request.  Stays where it is, because
// its placeholders point into it.
class ExpressionInput {
 public:
  // `expressions`: the request's expression members; some must be there if there are placeholders.
  ExpressionInput(const JsonObject& input, std::initializer_list<std::string_view> expressions,
                  Problems& problems);
  ExpressionInput(const ExpressionInput&) = delete;
  ExpressionInput& operator=(const ExpressionInput&) = delete;

  expr::Placeholders& placeholders() { return *placeholders_; }
  // Call after the last expression is parsed.
  void check_all_used(Problems& problems) {
    if (!problems.any()) check(placeholders_->check_all_used(), problems);
  }

 private:
  expr::Placeholders::Names names_;
  model::AttributeMap values_;
  std::optional<expr::Placeholders> placeholders_;
};

// ConditionExpression, or the older Expected; empty when there is none.
std::optional<expr::Condition> read_write_condition(const JsonObject& input,
                                                    ExpressionInput& expressions,
                                                    Problems& problems);
// ProjectionExpression, or the older AttributesToGet; empty when there is none.
std::optional<expr::Projection> read_projection(const JsonObject& input,
                                                ExpressionInput& expressions, Problems& problems);

}  // namespace meridian::api
