// Reading the parameters from before expressions (Expected, AttributeUpdates, KeyConditions,
// QueryFilter, ScanFilter, AttributesToGet) into what region-node/expr compiles.
// Threads: any.  Errors: into Problems; each is empty when the parameter is absent or wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "region-node/api/json_in.h"
#include "region-node/expr/legacy.h"

namespace meridian::api {

std::optional<expr::LegacyExpectations> read_expected(JsonValue json, Problems& problems);
std::optional<expr::LegacyUpdates> read_attribute_updates(JsonValue json, Problems& problems);
// KeyConditions, QueryFilter, ScanFilter.
std::optional<expr::LegacyConditions> read_conditions(JsonValue json, Problems& problems);
std::optional<std::vector<std::string>> read_attributes_to_get(JsonValue json, Problems& problems);
// ConditionalOperator; `user`: the parameter whose conditions it joins.
expr::ConditionalOperator read_conditional_operator(const JsonObject& input, std::string_view user,
                                                    Problems& problems);

}  // namespace meridian::api
