// DynamoDB's JSON for attribute values and items, both ways: {"S":"a"}, {"N":"1"}, {"M":{...}}.
//
// Threads: any.
// Errors: AWS's texts for values that are malformed (ValidationException) or of the wrong JSON type
// (SerializationException), into Problems.
// Limits: model::kNestingMax levels; names of model::kAttributeNameBytesMax.
// Source: DynamoDB API reference, "AttributeValue".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "region-node/api/json_in.h"
#include "region-node/model/attribute_value.h"

namespace meridian::api {

// Each is empty when absent, or after reporting.
std::optional<model::AttributeValue> read_value(JsonValue json, Problems& problems);
std::optional<model::AttributeMap> read_map(JsonValue json, Problems& problems);
// Where there must be one; reports when there is none.
std::optional<model::AttributeValue> read_required_value(JsonValue json, Problems& problems);
// Reports a name that no attribute can have.
bool name_fits(std::string_view name, Problems& problems);

void append_value(std::string& out, const model::AttributeValue& value);
void append_map(std::string& out, const model::AttributeMap& map);

}  // namespace meridian::api
