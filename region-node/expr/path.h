// Path: where in an item a value lies, such as a.b[3], with placeholders already replaced.
// Threads: value types.
// Limits: model::kNestingMax steps below the attribute name.
// Source: DynamoDB developer guide, "Specifying item attributes when using expressions".
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "region-node/model/attribute_value.h"

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
// As AWS prints paths in errors: "[a, b, [3]]".
std::string to_text(const Path& path);
// What two paths of one expression do to each other.
enum class PathRelation {
  apart,
  overlap,   // equal, or one is an ancestor of the other
  conflict,  // one takes a node for a map, the other takes it for a list
};
PathRelation relation(const Path& a, const Path& b);

}  // namespace meridian::expr
