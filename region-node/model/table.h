// A table's key schema, and the definition that all its replicas share.
// Threads: value types; the store hands out immutable snapshots.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "region-node/model/attribute_value.h"

namespace meridian::model {

struct KeyAttribute {
  std::string name;
  AttributeType type = AttributeType::S;  // S, N or B
  bool operator==(const KeyAttribute&) const = default;
};

struct KeySchema {
  KeyAttribute partition;
  std::optional<KeyAttribute> sort;
  bool operator==(const KeySchema&) const = default;
};

enum class StreamViewType { KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES };
const char* view_type_name(StreamViewType view);
std::optional<StreamViewType> parse_view_type(std::string_view name);

}  // namespace meridian::model
