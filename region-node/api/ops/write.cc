#include "region-node/api/ops/write.h"

#include <algorithm>

#include "region-node/api/json_out.h"
#include "region-node/api/wire_json.h"
#include "region-node/model/key.h"

namespace meridian::api::ops {
namespace {

ReturnValues parse_return_values(std::string_view name) {
  if (name == "ALL_OLD") return ReturnValues::all_old;
  if (name == "UPDATED_OLD") return ReturnValues::updated_old;
  if (name == "ALL_NEW") return ReturnValues::all_new;
  if (name == "UPDATED_NEW") return ReturnValues::updated_new;
  return ReturnValues::none;
}

// Hexadecimal, as the admin endpoint shows versions; "none" where nothing is to be.
std::optional<conflict::Version> read_if_version(const Call& call, Problems& problems) {
  if (call.if_version.empty()) return std::nullopt;
  if (call.if_version == "none") return conflict::Version{};
  auto bytes = from_hex(call.if_version);
  auto version = bytes ? conflict::decode_version(*bytes) : std::nullopt;
  if (!version)
    problems.report(ApiError::validation("X-Meridian-If-Version is not a version of an item"));
  return version;
}

}  // namespace

WriteRequest read_write_request(const Call& call, Constraints& constraints,
                                std::initializer_list<ReturnValues> allowed,
                                std::string_view refusal, Problems& problems) {
  WriteRequest out;
  out.table_name = read_table_name(call, constraints, problems);
  auto capacity = call.input.get("ReturnConsumedCapacity").text(problems);
  auto returned = call.input.get("ReturnValues").text(problems);
  auto on_failure = call.input.get("ReturnValuesOnConditionCheckFailure").text(problems);
  auto metrics = call.input.get("ReturnItemCollectionMetrics").text(problems);
  constraints.one_of(capacity, "returnConsumedCapacity", {"INDEXES", "TOTAL", "NONE"});
  constraints.one_of(returned, "returnValues",
                     {"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"});
  constraints.one_of(on_failure, "returnValuesOnConditionCheckFailure", {"ALL_OLD", "NONE"});
  constraints.one_of(metrics, "returnItemCollectionMetrics", {"SIZE", "NONE"});
  constraints.finish(problems);
  out.capacity = parse_capacity_detail(capacity);
  out.returned = parse_return_values(returned.value_or("NONE"));
  out.item_on_failed_condition = on_failure == "ALL_OLD";
  out.if_version = read_if_version(call, problems);
  if (std::find(allowed.begin(), allowed.end(), out.returned) == allowed.end())
    problems.report(ApiError::validation(std::string(refusal)));
  return out;
}

MutationOptions mutation_options(const WriteRequest& request,
                                 std::optional<expr::Condition> condition) {
  MutationOptions options;
  options.condition = std::move(condition);
  options.keep_old = request.returned == ReturnValues::all_old ||
                     request.returned == ReturnValues::updated_old ||
                     request.capacity != CapacityDetail::none;
  options.item_on_failed_condition = request.item_on_failed_condition;
  options.if_version = request.if_version;
  return options;
}

std::string write_answer(const WriteRequest& request, const std::optional<model::Item>& attributes,
                         const Mutation& mutation) {
  std::string out;
  JsonMembers members(out);
  if (attributes) append_map(members.name("Attributes"), *attributes);
  if (request.capacity != CapacityDetail::none) {
    append_capacity(members.name("ConsumedCapacity"), request.table_name,
                    write_units(mutation.bytes()), request.capacity);
  }
  members.end();
  return out;
}

std::optional<Bytes> encode_request_key(const model::KeySchema& schema, const model::Item& key,
                                        Problems& problems) {
  return valid(model::encode_exact_key(schema, key), problems);
}

}  // namespace meridian::api::ops
