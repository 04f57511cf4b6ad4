// TableDescription, as CreateTable, DescribeTable, UpdateTable and DeleteTable answer it.
// Threads: any.
// Source: DynamoDB API reference, "TableDescription", "ReplicaDescription".
#pragma once

#include <string>
#include <string_view>

#include "common/ids.h"
#include "region-node/store/store.h"

namespace meridian::api {

// `status`: CREATING, ACTIVE, UPDATING or DELETING.
void append_table_description(std::string& out, const store::TableInfo& table,
                              const store::TableStats& stats, const RegionId& region,
                              std::string_view status);

// Seconds with three decimals, as AWS writes times: 1700000000.123.
void append_seconds(std::string& out, std::int64_t ms);

}  // namespace meridian::api
