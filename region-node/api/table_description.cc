#include "region-node/api/table_description.h"

#include <fmt/format.h>

#include "region-node/api/arn.h"
#include "region-node/api/json_out.h"

namespace meridian::api {
namespace {

void append_attribute(std::string& out, const model::KeyAttribute& attribute) {
  JsonMembers members(out);
  members.text("AttributeName", attribute.name);
  members.text("AttributeType", model::type_name(attribute.type));
  members.end();
}

void append_key_element(std::string& out, std::string_view name, std::string_view type) {
  JsonMembers members(out);
  members.text("AttributeName", name);
  members.text("KeyType", type);
  members.end();
}

void append_keys(JsonMembers& table, const model::KeySchema& keys) {
  auto& definitions = table.name("AttributeDefinitions");
  definitions += '[';
  append_attribute(definitions, keys.partition);
  if (keys.sort) {
    definitions += ',';
    append_attribute(definitions, *keys.sort);
  }
  definitions += ']';
  auto& schema = table.name("KeySchema");
  schema += '[';
  append_key_element(schema, keys.partition.name, "HASH");
  if (keys.sort) {
    schema += ',';
    append_key_element(schema, keys.sort->name, "RANGE");
  }
  schema += ']';
}

void append_billing(JsonMembers& table, const store::TableInfo& info) {
  JsonMembers throughput(table.name("ProvisionedThroughput"));
  throughput.integer("NumberOfDecreasesToday", 0);
  throughput.integer("ReadCapacityUnits", info.read_units);
  throughput.integer("WriteCapacityUnits", info.write_units);
  throughput.end();
  if (info.billing_mode != "PAY_PER_REQUEST") return;
  JsonMembers billing(table.name("BillingModeSummary"));
  billing.text("BillingMode", info.billing_mode);
  append_seconds(billing.name("LastUpdateToPayPerRequestDateTime"), info.created_ms);
  billing.end();
}

void append_stream(JsonMembers& table, const store::TableInfo& info, const RegionId& region) {
  if (info.streams.empty()) return;
  if (const auto* stream = info.enabled_stream()) {
    JsonMembers specification(table.name("StreamSpecification"));
    specification.boolean("StreamEnabled", true);
    specification.text("StreamViewType", model::view_type_name(stream->view));
    specification.end();
  }
  const auto& label = info.streams.back().label;
  table.text("LatestStreamLabel", label);
  table.text("LatestStreamArn", stream_arn(region, info.name, label));
}

// Only for a global table; all its regions, this one included.
void append_replicas(JsonMembers& table, const store::TableInfo& info, const RegionId& self) {
  if (info.peers(self).empty()) return;
  table.text("GlobalTableVersion", "2019.11.21");
  auto& list = table.name("Replicas");
  list += '[';
  bool first = true;
  for (const auto& [region, entry] : info.replicas) {
    if (!entry.present) continue;
    if (!first) list += ',';
    first = false;
    JsonMembers replica(list);
    replica.text("RegionName", region.name());
    replica.text("ReplicaStatus", "ACTIVE");
    replica.text("ReplicaArn", table_arn(region, info.name));
    replica.end();
  }
  list += ']';
}

// The 128 bits in the form of a UUID.
std::string table_id_text(const TableId& id) {
  std::string hex = id.hex();
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

}  // namespace

void append_seconds(std::string& out, std::int64_t ms) {
  fmt::format_to(std::back_inserter(out), "{}.{:03}", ms / 1000, ms % 1000);
}

void append_table_description(std::string& out, const store::TableInfo& table,
                              const store::TableStats& stats, const RegionId& region,
                              std::string_view status) {
  JsonMembers members(out);
  append_keys(members, table.keys);
  members.text("TableName", table.name);
  members.text("TableStatus", status);
  append_seconds(members.name("CreationDateTime"), table.created_ms);
  append_billing(members, table);
  members.integer("TableSizeBytes", static_cast<std::int64_t>(stats.item_bytes));
  members.integer("ItemCount", static_cast<std::int64_t>(stats.items));
  members.text("TableArn", table_arn(region, table.name));
  members.text("TableId", table_id_text(table.id));
  append_stream(members, table, region);
  append_replicas(members, table, region);
  members.boolean("DeletionProtectionEnabled", table.deletion_protection);
  members.end();
}

}  // namespace meridian::api
