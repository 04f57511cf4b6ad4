#include "region-node/model/attribute_value.h"

namespace meridian::model {

const char* type_name(AttributeType type) {
  static constexpr const char* kNames[] = {"S", "N", "B",  "BOOL", "NULL",
                                           "M", "L", "SS", "NS",   "BS"};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace meridian::model
