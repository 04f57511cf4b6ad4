// The grammar of conditions: from text to a checked, resolved tree.
// Threads: pure, but for the placeholders that it marks as used.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "region-node/expr/ast.h"
#include "region-node/expr/findings.h"
#include "region-node/expr/placeholders.h"

namespace meridian::expr {

Result<ConditionNode, std::string> compile_condition(std::string_view text, Parameter parameter,
                                                     Placeholders& placeholders);

// Everything that is checked after parsing; resolves placeholders.  Answers the first mistake in
// AWS's order.
std::optional<std::string> check_condition(ConditionNode& root, Findings& findings,
                                           Placeholders& placeholders);

}  // namespace meridian::expr
