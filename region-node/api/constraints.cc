#include "region-node/api/constraints.h"

#include <algorithm>

namespace meridian::api {

void Constraints::add(std::string what) {
  ++count_;
  if (!text_.empty()) text_ += "; ";
  text_ += what;
}

void Constraints::fail(std::string_view value, std::string_view member,
                       std::string_view requirement) {
  add("Value '" + std::string(value) + "' at '" + std::string(member) +
      "' failed to satisfy constraint: Member must " + std::string(requirement));
}

void Constraints::required(bool present, std::string_view member) {
  if (present) return;
  add("Value null at '" + std::string(member) +
      "' failed to satisfy constraint: Member must not be null");
}

void Constraints::one_of(std::optional<std::string_view> value, std::string_view member,
                         std::initializer_list<std::string_view> allowed) {
  if (!value || std::find(allowed.begin(), allowed.end(), *value) != allowed.end()) return;
  std::string set;
  for (auto name : allowed) {
    if (!set.empty()) set += ", ";
    set += name;
  }
  fail(*value, member, "satisfy enum value set: [" + set + "]");
}

void Constraints::at_least(std::optional<std::int64_t> value, std::string_view member,
                           std::int64_t least) {
  if (value && *value < least)
    fail(std::to_string(*value), member,
         "have value greater than or equal to " + std::to_string(least));
}

void Constraints::at_most(std::optional<std::int64_t> value, std::string_view member,
                          std::int64_t most) {
  if (value && *value > most)
    fail(std::to_string(*value), member,
         "have value less than or equal to " + std::to_string(most));
}

void Constraints::fail_unvalued(std::string_view member, std::string_view requirement) {
  add("Value at '" + std::string(member) + "' failed to satisfy constraint: Member must " +
      std::string(requirement));
}

void Constraints::table_name(std::string_view name, std::string_view member) {
  auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  if (name.empty()) fail(name, member, "have length greater than or equal to 1");
  if (!std::all_of(name.begin(), name.end(), legal))
    fail(name, member, "satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  if (name.size() > 255) fail(name, member, "have length less than or equal to 255");
}

void Constraints::new_table_name(std::string_view name, std::string_view member) {
  table_name(name, member);
  if (!name.empty() && name.size() < 3)
    fail(name, member, "have length greater than or equal to 3");
}

void Constraints::finish(Problems& problems) {
  if (count_ == 0) return;
  problems.report(ApiError::validation(std::to_string(count_) + " validation error" +
                                       (count_ == 1 ? "" : "s") + " detected: " + text_));
}

}  // namespace meridian::api
