// Projection: the parts of an item that a reader asked for.
//
// Maps and lists on the way are kept as containers; list elements close up in ascending order of
// index, as in DynamoDB: a[5] of an item is answered as a list of one element.  Paths that lead
// nowhere are left out.
// Threads: immutable; any thread may apply.
// Errors: texts of AWS's ValidationException.
// Limits: kExpressionBytesMax.
// Source: DynamoDB developer guide, "Using projection expressions".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "region-node/expr/path.h"
#include "region-node/expr/placeholders.h"

namespace meridian::expr {

// REQUIRES: no two paths overlap or conflict, or they are those of an UpdateOutcome.
model::Item project(const model::Item& item, const std::vector<Path>& paths);

class Projection {
 public:
  explicit Projection(std::vector<Path> paths) : paths_(std::move(paths)) {}
  [[nodiscard]] model::Item apply(const model::Item& item) const { return project(item, paths_); }
  [[nodiscard]] const std::vector<Path>& paths() const { return paths_; }

 private:
  std::vector<Path> paths_;
};

Result<Projection, std::string> parse_projection(std::string_view text,
                                                 Placeholders& placeholders);

}  // namespace meridian::expr
