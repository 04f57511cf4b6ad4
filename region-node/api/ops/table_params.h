// Parameters that CreateTable and UpdateTable share, and how they answer.
// Threads: any.  Errors: AWS's texts, into Problems.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "region-node/api/call.h"
#include "region-node/api/constraints.h"
#include "region-node/store/store.h"

namespace meridian::api::ops {

struct Billing {
  std::optional<std::string> mode;
  std::optional<std::int64_t> read_units;
  std::optional<std::int64_t> write_units;
};
// New values of settings, by name (store/settings.h).
using SettingValues = std::map<std::string, std::string>;
// TableClass, SSESpecification and OnDemandThroughput; `self`: whose encryption key it would be.
SettingValues read_settings(const JsonObject& input, const RegionId& self, Constraints& constraints,
                            Problems& problems);
// Of a capacity member such as OnDemandThroughput.MaxReadRequestUnits, where -1 means none.
std::string units_or_none(std::int64_t units);
// Reports what does not go with the billing mode.
void check_request_units(const SettingValues& settings, std::string_view billing_mode,
                         Problems& problems);

Billing read_billing(const JsonObject& input, Constraints& constraints, Problems& problems);

struct StreamChange {
  bool given = false;
  std::optional<model::StreamViewType> view;  // empty: disabled
};
StreamChange read_stream_specification(const JsonObject& input, Constraints& constraints,
                                       Problems& problems);

// Reports parameters that would change what the table is and that we cannot honour.
void refuse_members(const JsonObject& input, std::initializer_list<std::string_view> members,
                    Problems& problems);

// ResourceInUseException while this region's replica is being filled.
std::optional<ApiError> refuse_while_created(const Services& services,
                                             const store::TableInfo& table);

// {"TableDescription":{...}} or, for DescribeTable, {"Table":{...}}.
std::string table_answer(const Services& services, const store::TableInfo& table,
                         std::string_view status, std::string_view member = "TableDescription");

}  // namespace meridian::api::ops
