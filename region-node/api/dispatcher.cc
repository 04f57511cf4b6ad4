#include "region-node/api/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "region-node/api/crc32.h"
#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/wire_json.h"

namespace meridian::api {
namespace {

constexpr std::string_view kContentType = "application/x-amz-json-1.0";

std::string error_body(const ApiError& error) {
  std::string out;
  JsonMembers members(out);
  members.text("__type", error.type);
  if (!error.message.empty()) {
    // AWS writes the member in lower case, but for this one error.
    bool upper = error.short_type() == "SerializationException";
    members.text(upper ? "Message" : "message", error.message);
  }
  if (error.item) append_map(members.name("Item"), *error.item);
  members.end();
  return out;
}

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> kOperations{
      {"BatchGetItem", ops::batch_get_item, nullptr},
      {"BatchWriteItem", nullptr, ops::batch_write_item},
      {"CreateGlobalTable", nullptr, ops::create_global_table},
      {"CreateTable", nullptr, ops::create_table},
      {"DeleteItem", nullptr, ops::delete_item},
      {"DeleteTable", nullptr, ops::delete_table},
      {"DescribeEndpoints", ops::describe_endpoints, nullptr},
      {"DescribeGlobalTable", ops::describe_global_table, nullptr},
      {"DescribeGlobalTableSettings", ops::describe_global_table_settings, nullptr},
      {"DescribeLimits", ops::describe_limits, nullptr},
      {"DescribeStream", ops::describe_stream, nullptr},
      {"DescribeTable", ops::describe_table, nullptr},
      {"DescribeTableReplicaAutoScaling", ops::describe_table_replica_auto_scaling, nullptr},
      {"GetItem", ops::get_item, nullptr},
      {"GetRecords", ops::get_records, nullptr},
      {"GetShardIterator", ops::get_shard_iterator, nullptr},
      {"ListGlobalTables", ops::list_global_tables, nullptr},
      {"ListStreams", ops::list_streams, nullptr},
      {"ListTables", ops::list_tables, nullptr},
      {"PutItem", nullptr, ops::put_item},
      {"Query", ops::query, nullptr},
      {"Scan", ops::scan, nullptr},
      {"UpdateGlobalTable", nullptr, ops::update_global_table},
      {"UpdateGlobalTableSettings", nullptr, ops::update_global_table_settings},
      {"UpdateItem", nullptr, ops::update_item},
      {"UpdateTable", nullptr, ops::update_table},
      {"UpdateTableReplicaAutoScaling", ops::update_table_replica_auto_scaling, nullptr},
  };
  return kOperations;
}

const Operation* find_operation(std::string_view target) {
  static const auto kByName = [] {
    std::unordered_map<std::string_view, const Operation*> out;
    for (const auto& operation : operations()) out.emplace(operation.name, &operation);
    return out;
  }();
  // The two services share the operations' name space, and both endpoints serve both.
  auto dot = target.find('.');
  if (dot == std::string_view::npos) return nullptr;
  auto service = target.substr(0, dot);
  if (service != "DynamoDB_20120810" && service != "DynamoDBStreams_20120810") return nullptr;
  auto at = kByName.find(target.substr(dot + 1));
  return at == kByName.end() ? nullptr : at->second;
}

std::string RequestIds::next() {
  static constexpr char kLetters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
  Rng rng(key_ + count_.fetch_add(1, std::memory_order_relaxed));
  std::string out(52, '0');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 12 == 0) bits = rng.next();
    out[i] = kLetters[bits & 31];
    bits >>= 5;
  }
  return out;
}

http::Response to_response(Answer answer, RequestIds& ids) {
  http::Response out;
  out.content_type = kContentType;
  if (answer) {
    out.body = std::move(*answer);
  } else {
    out.status = answer.error().http_status;
    out.body = error_body(answer.error());
  }
  out.headers.reserve(2);
  out.headers.emplace_back("x-amzn-RequestId", ids.next());
  out.headers.emplace_back("x-amz-crc32", std::to_string(crc32(out.body)));
  return out;
}

}  // namespace meridian::api
