// TableDescription, as CreateTable, DescribeTable, UpdateTable and DeleteTable answer it.
// Threads: any.
// Source: DynamoDB API reference, "TableDescription", "ReplicaDescription".
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "common/ids.h"
#include "region-node/api/json_out.h"
#include "region-node/api/replica_control.h"
#include "region-node/store/store.h"

namespace meridian::api {

// `status`: CREATING, ACTIVE, UPDATING, DELETING or ARCHIVED.
void append_table_description(std::string& out, const store::TableInfo& table,
                              const store::TableStats& stats, const RegionId& region,
                              std::string_view status,
                              const std::map<RegionId, ReplicaProgress>& progress = {});

// What DescribeTable says of a table that nobody changes now: CREATING while this region's replica is
// being filled, UPDATING while another's is, ARCHIVED when this region was removed by force.
std::string_view table_status(const store::TableInfo& table, const RegionId& self);

// ReplicaStatus.
std::string_view replica_status(const store::ReplicaEntry& replica);

// The list of a table's replicas, as every answer that has one begins each: RegionName, then what
// `rest` adds.
void append_replica_list(std::string& out, const store::TableInfo& table,
                         const std::function<void(JsonMembers& replica, const RegionId& region,
                                                  const store::ReplicaEntry& entry)>& rest);

// Seconds with three decimals, as AWS writes times: 1700000000.123.
void append_seconds(std::string& out, std::int64_t ms);

}  // namespace meridian::api
