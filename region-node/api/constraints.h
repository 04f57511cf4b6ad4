// Constraints: AWS's checks of single parameters, which it reports all together:
// "2 validation errors detected: Value '' at 'tableName' failed to satisfy constraint: ...; Value ...".
// Threads: one owner.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "region-node/api/json_in.h"

namespace meridian::api {

class Constraints {
 public:
  // `requirement`: what follows "Member must ".
  void fail(std::string_view value, std::string_view member, std::string_view requirement);
  void required(bool present, std::string_view member);
  // Empty values satisfy the rest.
  void one_of(std::optional<std::string_view> value, std::string_view member,
              std::initializer_list<std::string_view> allowed);
  void at_least(std::optional<std::int64_t> value, std::string_view member, std::int64_t least);
  void at_most(std::optional<std::int64_t> value, std::string_view member, std::int64_t most);
  // The same without the value, as AWS words some checks.
  void fail_unvalued(std::string_view member, std::string_view requirement);
  // A plain table name (not an ARN): not empty and of [a-zA-Z0-9_.-].
  void table_name(std::string_view name, std::string_view member = "tableName");
  // That of a new table: also 3 to 255 characters.
  void new_table_name(std::string_view name, std::string_view member = "tableName");

  // Reports what has failed, if anything.
  void finish(Problems& problems);

 private:
  void add(std::string what);

  std::size_t count_ = 0;
  std::string text_;
};

}  // namespace meridian::api
