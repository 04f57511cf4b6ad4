// Path: where in an item a value lies, such as a.b[3], with placeholders already replaced.
// Threads: value types.
// Limits: model::kNestingMax steps below the attribute name.
// Source: DynamoDB developer guide, "Specifying item attributes when using expressions".
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/result.h"
#include "region-node/model/attribute_value.h"
#include "region-node/model/table.h"

namespace meridian::expr {

// A map member's name, or a list index from 0.
using PathStep = std::variant<std::string, std::uint32_t>;

struct Path {
  std::string attribute;        // top-level name
  std::vector<PathStep> steps;  // below it
  bool operator==(const Path&) const = default;
};

// The value at the path; null when there is none.
const model::AttributeValue* find_value(const model::Item& item, const Path& path);
// The map or list (or whatever is in its place) that holds the path's last step; null when there is
// none.  REQUIRES: the path has steps.
const model::AttributeValue* find_parent(const model::Item& item, const Path& path);
// As AWS prints paths in errors: "[a, b, [3]]".
std::string to_text(const Path& path);
// What two paths of one expression do to each other.
enum class PathRelation {
  apart,
  overlap,   // equal, or one is an ancestor of the other
  conflict,  // one takes a node for a map, the other takes it for a list
};
PathRelation relation(const Path& a, const Path& b);
// That no path leads into a key attribute, which is always a scalar.  The error is the text of AWS's
// ValidationException.
Result<void, std::string> check_key_paths(const model::KeySchema& schema,
                                          const std::vector<Path>& paths);

}  // namespace meridian::expr
