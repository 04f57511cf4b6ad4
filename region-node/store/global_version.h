// The setting that says that a table is global in the way of version 2017.11.29: made by joining empty
// tables of one name, where that of 2019.11.21 is made by copying one.
// Threads: value types.
#pragma once

#include "region-node/store/table_info.h"

namespace meridian::store {

namespace setting {
inline constexpr std::string_view kGlobalVersion = "global_table_version";  // empty: 2019.11.21
}
inline constexpr std::string_view kVersion2017 = "2017.11.29";

inline bool is_2017(const Settings& settings) {
  return settings.text(setting::kGlobalVersion) == kVersion2017;
}

}  // namespace meridian::store
