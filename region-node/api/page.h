// What Query and Scan have in common: their parameters, and reading one page of a key range.
//
// Threads: one owner; reading uses the caller's Reader.
// Errors: AWS's texts, into Problems.
// Limits: a page ends at Limit items, at kPageBytesMax of items read (before filter and projection),
// or after kRowsVisitedMax rows of other segments.
// Source: DynamoDB API reference, "Query" and "Scan".
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "region-node/api/call.h"
#include "region-node/api/capacity.h"
#include "region-node/api/constraints.h"
#include "region-node/api/request.h"

namespace meridian::api {

inline constexpr std::size_t kPageBytesMax = 1024 * 1024;
inline constexpr std::size_t kRowsVisitedMax = 100'000;

struct PageRequest {
  std::string table_name;
  std::optional<std::int64_t> limit;
  bool only_count = false;
  Consistency consistency = Consistency::eventual;
  CapacityDetail capacity = CapacityDetail::none;
  std::optional<model::Item> start_key;
  std::optional<expr::Projection> projection;
  std::optional<expr::Condition> filter;
};

// Reads what both operations take but their expressions.  The caller checks the Limit, which AWS words
// differently for each.
PageRequest read_page_request(const Call& call, Constraints& constraints, Problems& problems);
// Checks Select against the projection, once that is read.
void check_select(const JsonObject& input, PageRequest& request, Problems& problems);
// FilterExpression, or its older form under the name of `legacy` (QueryFilter, ScanFilter).
void read_filter(const JsonObject& input, std::string_view legacy, ExpressionInput& expressions,
                 PageRequest& request, Problems& problems);

// The encoded ExclusiveStartKey; empty when there is none or after reporting.
std::optional<Bytes> encode_start_key(const PageRequest& request, const model::KeySchema& schema,
                                      Problems& problems);

// Whether a key belongs to the page's segment; empty function: all do.
using BelongsToSegment = std::function<bool(BytesView key)>;

// Reads one page and answers as Query and Scan do.
Answer read_page(const Services& services, const store::TableInfo& table,
                 const PageRequest& request, const store::KeyRange& range,
                 store::Direction direction, const BelongsToSegment& belongs);

}  // namespace meridian::api
