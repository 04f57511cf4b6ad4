// Consumed capacity by AWS's rules: writes in units of 1 KB (the larger of the item before and after),
// strongly consistent reads in units of 4 KB, half of that for eventually consistent ones.
//
// Nothing is limited by it; clients and cost estimates read it.
// Threads: any.
// Source: DynamoDB developer guide, "DynamoDB read and write operations".
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::api {

enum class CapacityDetail { none, total, indexes };
// The values of ReturnConsumedCapacity; anything else is none.
CapacityDetail parse_capacity_detail(std::optional<std::string_view> name);

enum class Consistency { eventual, strong };

// Units for one item, or for the sum that a Query or Scan has read; at least one unit (or half).
double read_units(std::size_t bytes, Consistency consistency);
double write_units(std::size_t bytes);

// {"TableName":...,"CapacityUnits":...}.  REQUIRES: `detail` is not none.
void append_capacity(std::string& out, std::string_view table, double units, CapacityDetail detail);
// The list that batch operations answer with.
void append_capacities(std::string& out, const std::map<std::string, double>& units,
                       CapacityDetail detail);

}  // namespace meridian::api
