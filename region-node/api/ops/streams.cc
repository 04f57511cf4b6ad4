#include "region-node/api/arn.h"
#include "region-node/api/constraints.h"
#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/request.h"
#include "region-node/api/stream_ids.h"
#include "region-node/api/stream_lookup.h"
#include "region-node/api/table_description.h"

namespace meridian::api::ops {
namespace {

constexpr std::int64_t kListMax = 100;  // streams of a page, and shards of one

void append_shard(std::string& out, const NamedShard& named) {
  const auto& shard = *named.shard;
  JsonMembers members(out);
  members.text("ShardId", named.id);
  if (!named.parent_id.empty()) members.text("ParentShardId", named.parent_id);
  JsonMembers range(members.name("SequenceNumberRange"));
  range.text("StartingSequenceNumber", sequence_number(shard.shard, shard.first));
  // A shard that was closed without a record ends where it starts.
  if (shard.last) {
    range.text("EndingSequenceNumber",
               sequence_number(shard.shard, std::max(*shard.last, shard.first)));
  }
  range.end();
  members.end();
}

void append_key_schema(std::string& out, const model::KeySchema& keys) {
  auto element = [&out](std::string_view name, std::string_view type) {
    JsonMembers members(out);
    members.text("AttributeName", name);
    members.text("KeyType", type);
    members.end();
  };
  out += '[';
  element(keys.partition.name, "HASH");
  if (keys.sort) {
    out += ',';
    element(keys.sort->name, "RANGE");
  }
  out += ']';
}

// ShardFilter: keeps only the children of one shard.
void filter_shards(const JsonObject& input, std::vector<NamedShard>& shards,
                   Constraints& constraints, Problems& problems) {
  auto filter = input.get("ShardFilter").object(problems);
  if (!filter) return;
  auto type = filter->get("Type").text(problems);
  auto parent = filter->get("ShardId").text(problems);
  constraints.required(type.has_value(), "shardFilter.type");
  constraints.one_of(type, "shardFilter.type", {"CHILD_SHARDS"});
  constraints.required(parent.has_value(), "shardFilter.shardId");
  if (parent) std::erase_if(shards, [&](const auto& named) { return named.parent_id != *parent; });
}

void append_stream(std::string& out, std::string_view arn, std::string_view table,
                   std::string_view label) {
  JsonMembers members(out);
  members.text("StreamArn", arn);
  members.text("TableName", table);
  members.text("StreamLabel", label);
  members.end();
}

// One page of `shards` into the description.  The shard to start after may be trimmed by now; ids
// ascend with age, so the page begins with those that came after it.
void append_page(JsonMembers& description, const std::vector<NamedShard>& shards,
                 std::optional<std::string_view> after, std::int64_t limit) {
  auto& list = description.name("Shards");
  list += '[';
  std::string_view last;
  bool more = false;
  std::int64_t count = 0;
  for (const auto& named : shards) {
    if (after && named.id <= *after) continue;
    more = count == limit;
    if (more) break;
    if (count++ > 0) list += ',';
    append_shard(list, named);
    last = named.id;
  }
  list += ']';
  if (more) description.text("LastEvaluatedShardId", last);
}

}  // namespace

Answer list_streams(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto name = call.input.get("TableName").text(problems);
  auto limit = call.input.get("Limit").integer(problems);
  auto after = call.input.get("ExclusiveStartStreamArn").text(problems);
  constraints.at_least(limit, "limit", 1);
  constraints.at_most(limit, "limit", kListMax);
  auto plain = name ? plain_table_name(call.services, *name, problems) : std::string();
  if (name && !problems.any()) constraints.table_name(plain);
  constraints.finish(problems);
  auto start = after ? parse_arn(*after) : std::nullopt;
  if (after && (!start || start->label.empty()))
    problems.report(
        ApiError::validation("Invalid ExclusiveStartStreamArn: " + std::string(*after)));
  if (problems.any()) return Err(problems.take());

  auto catalog = call.services.store.catalog();
  auto region = call.services.store.region();
  std::string out;
  JsonMembers members(out);
  auto& list = members.name("Streams");
  list += '[';
  std::int64_t count = 0;
  std::string last;
  bool more = false;
  for (const auto& [table_name, table] : catalog->by_name) {
    if (name && table_name != plain) continue;
    for (const auto& stream : table->streams) {
      if (start && std::tie(table_name, stream.label) <= std::tie(start->table, start->label))
        continue;
      more = count == limit.value_or(kListMax);
      if (more) break;
      if (count++ > 0) list += ',';
      last = stream_arn(region, table_name, stream.label);
      append_stream(list, last, table_name, stream.label);
    }
    if (more) break;
  }
  list += ']';
  if (more) members.text("LastEvaluatedStreamArn", last);
  members.end();
  return out;
}

Answer describe_stream(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto arn = call.input.get("StreamArn").text(problems);
  auto limit = call.input.get("Limit").integer(problems);
  auto after = call.input.get("ExclusiveStartShardId").text(problems);
  constraints.required(arn.has_value(), "streamArn");
  constraints.at_least(limit, "limit", 1);
  constraints.at_most(limit, "limit", kListMax);
  std::vector<NamedShard> none;
  filter_shards(call.input, none, constraints, problems);
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  auto found = find_stream(call.services, *arn);
  if (!found) return Err(std::move(found.error()));
  const auto& [table, stream] = *found;
  auto shards = named_shards(*stream);
  filter_shards(call.input, shards, constraints, problems);

  std::string out;
  JsonMembers members(out);
  JsonMembers description(members.name("StreamDescription"));
  description.text("StreamArn", *arn);
  description.text("StreamLabel", stream->label);
  description.text("StreamStatus", stream->disabled_ms ? "DISABLED" : "ENABLED");
  description.text("StreamViewType", model::view_type_name(stream->view));
  append_seconds(description.name("CreationRequestDateTime"), stream->created_ms);
  description.text("TableName", table->name);
  append_key_schema(description.name("KeySchema"), table->keys);
  append_page(description, shards, after, limit.value_or(kListMax));
  description.end();
  members.end();
  return out;
}

}  // namespace meridian::api::ops
