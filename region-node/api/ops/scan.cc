#include "region-node/api/ops/ops.h"
#include "region-node/api/page.h"
#include "region-node/api/request.h"
#include "region-node/model/key.h"

namespace meridian::api::ops {
namespace {

constexpr std::int64_t kSegmentsMax = 1'000'000;

struct Segment {
  std::uint64_t number = 0;
  std::uint64_t total = 1;
};

Segment read_segment(const JsonObject& input, Constraints& constraints, Problems& problems) {
  auto number = input.get("Segment").integer(problems);
  auto total = input.get("TotalSegments").integer(problems);
  constraints.at_least(number, "segment", 0);
  constraints.at_most(number, "segment", kSegmentsMax - 1);
  constraints.at_least(total, "totalSegments", 1);
  constraints.at_most(total, "totalSegments", kSegmentsMax);
  constraints.finish(problems);
  if (number && !total) {
    problems.report(ApiError::validation(
        "The TotalSegments parameter is required but was not present in the request when Segment "
        "parameter is present"));
  } else if (total && !number) {
    problems.report(ApiError::validation(
        "The Segment parameter is required but was not present in the request when parameter "
        "TotalSegments is present"));
  } else if (number && *number >= *total) {
    problems.report(ApiError::validation(
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
        "Segment: " +
        std::to_string(*number) + " is not less than TotalSegments: " + std::to_string(*total)));
  }
  if (problems.any() || !number) return {};
  return {static_cast<std::uint64_t>(*number), static_cast<std::uint64_t>(*total)};
}

}  // namespace

Answer scan(const Call& call) {
  const auto& input = call.input;
  Problems problems;
  Constraints constraints;
  auto request = read_page_request(call, constraints, problems);
  constraints.at_least(request.limit, "limit", 1);
  auto segment = read_segment(input, constraints, problems);
  refuse_mixture(input, {"AttributesToGet", "ScanFilter", "ConditionalOperator"},
                 {"ProjectionExpression", "FilterExpression"}, problems);
  ExpressionInput expressions(input, {"FilterExpression", "ProjectionExpression"}, problems);
  read_filter(input, "ScanFilter", expressions, request, problems);
  request.projection = read_projection(input, expressions, problems);
  expressions.check_all_used(problems);
  if (problems.any()) return Err(problems.take());
  auto table = find_table(call.services, request.table_name);
  if (!table) return Err(std::move(table.error()));
  const auto& schema = (*table)->keys;
  check_select(input, request, problems);
  auto start = encode_start_key(request, schema, problems);
  if (problems.any()) return Err(problems.take());

  store::KeyRange range;
  if (start) {
    range.from = std::move(*start);
    range.from_excluded = true;
  }
  BelongsToSegment belongs;
  if (segment.total > 1) {
    belongs = [&schema, segment](BytesView key) {
      auto partition = model::partition_part(schema, key);
      return hash64(partition.value_or(key)) % segment.total == segment.number;
    };
  }
  return read_page(call.services, **table, request, range, store::Direction::ascending, belongs);
}

}  // namespace meridian::api::ops
