// ARNs of tables and streams: arn:aws:dynamodb:REGION:000000000000:table/T[/stream/LABEL].
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/ids.h"

namespace meridian::api {

inline constexpr std::string_view kAccount = "000000000000";

std::string table_arn(const RegionId& region, std::string_view table);
std::string stream_arn(const RegionId& region, std::string_view table, std::string_view label);

struct TableRef {
  std::string region;
  std::string table;
  std::string label;  // of the stream; empty for a table's ARN
};
// Empty when `text` is not the ARN of a table or stream.
std::optional<TableRef> parse_arn(std::string_view text);

}  // namespace meridian::api
