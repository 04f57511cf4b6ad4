#include "region-node/expr/set_operations.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "common/check.h"
#include "region-node/model/number.h"

namespace meridian::expr {
namespace {

using Values = std::vector<std::string>;

bool bytes_less(const std::string& a, const std::string& b) { return a < b; }
bool number_less(const std::string& a, const std::string& b) {
  return model::compare_numbers(a, b) < 0;
}

// What is in either, or only in the first.
enum class Operation { unite, subtract };

Values combine(const Values& a, const Values& b, Operation operation,
               bool (*less)(const std::string&, const std::string&)) {
  Values out;
  if (operation == Operation::unite) {
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out), less);
  } else {
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out), less);
  }
  return out;
}

template <typename Set>
std::optional<model::AttributeValue> combine_as(const model::AttributeValue& a,
                                                const model::AttributeValue& b, Operation operation,
                                                bool (*less)(const std::string&,
                                                             const std::string&)) {
  Values out = combine(a.as<Set>()->values, b.as<Set>()->values, operation, less);
  if (out.empty()) return std::nullopt;
  return model::AttributeValue(Set{std::move(out)});
}

std::optional<model::AttributeValue> combine_sets(const model::AttributeValue& a,
                                                  const model::AttributeValue& b,
                                                  Operation operation) {
  MERIDIAN_CHECK(a.type() == b.type());
  switch (a.type()) {
    case model::AttributeType::SS: return combine_as<model::StringSet>(a, b, operation, bytes_less);
    case model::AttributeType::NS:
      return combine_as<model::NumberSet>(a, b, operation, number_less);
    case model::AttributeType::BS: return combine_as<model::BinarySet>(a, b, operation, bytes_less);
    default: MERIDIAN_CHECK(false);
  }
  return std::nullopt;
}

}  // namespace

model::AttributeValue set_union(const model::AttributeValue& a, const model::AttributeValue& b) {
  auto out = combine_sets(a, b, Operation::unite);
  MERIDIAN_CHECK(out.has_value());
  return std::move(*out);
}

std::optional<model::AttributeValue> set_difference(const model::AttributeValue& a,
                                                    const model::AttributeValue& b) {
  return combine_sets(a, b, Operation::subtract);
}

}  // namespace meridian::expr
