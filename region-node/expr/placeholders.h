// Placeholders: the ExpressionAttributeNames and ExpressionAttributeValues of one request, and which
// of them its expressions have used.  One object serves all expressions of the request; ask
// check_all_used() after the last one is parsed.
//
// Threads: one owner.
// Borrows: both maps, until the last expression is parsed; either may be null when the request has
// none.
// Errors: texts of AWS's ValidationException.
// Limits: kPlaceholderBytesMax, kPlaceholderMapBytesMax, model::kAttributeNameBytesMax.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/result.h"
#include "region-node/model/attribute_value.h"

namespace meridian::expr {

// The request's expression parameters, named in errors.
enum class Parameter { condition, filter, key_condition, update, projection };
// "ConditionExpression", "FilterExpression", ...
const char* parameter_name(Parameter parameter);

inline constexpr std::size_t kExpressionBytesMax = 4096;
inline constexpr std::size_t kOperatorsMax = 300;
inline constexpr std::size_t kPlaceholderBytesMax = 255;
// Of the names with their placeholders, of the values with theirs, and of both together.
inline constexpr std::size_t kPlaceholderMapBytesMax = 2 * 1024 * 1024;

// AWS's text for a name that no attribute can have; null for others.
const char* mistake_in_name(std::string_view name);

class Placeholders {
 public:
  using Names = std::map<std::string, std::string, std::less<>>;  // "#n" -> attribute name

  Placeholders() = default;
  Placeholders(const Names* names, const model::AttributeMap* values)
      : names_(names), values_(values) {}

  // That both maps, where given, are not empty nor too large, that their keys are well formed ("#n",
  // ":v"), and that attributes can have those names.  Call before parsing: AWS reports these first.
  [[nodiscard]] Result<void, std::string> check_maps() const;
  // That each name and value was used by some expression.
  [[nodiscard]] Result<void, std::string> check_all_used() const;

  // `token` with its "#" or ":"; null when not defined.  Counts as used.
  const std::string* name(std::string_view token);
  // The same object each time.
  std::shared_ptr<const model::AttributeValue> value(std::string_view token);

 private:
  const Names* names_ = nullptr;
  const model::AttributeMap* values_ = nullptr;
  std::set<std::string, std::less<>> used_names_;
  std::map<std::string, std::shared_ptr<const model::AttributeValue>, std::less<>> used_values_;
};

}  // namespace meridian::expr
