#include "region-node/api/table_description.h"

#include <fmt/format.h>

#include "region-node/api/arn.h"
#include "region-node/api/json_out.h"
#include "region-node/store/global_version.h"

namespace meridian::api {
namespace {

namespace setting = store::setting;

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

// When a setting that holds in `region` was last changed.
std::int64_t changed_ms(const store::TableInfo& info, std::string_view name,
                        const RegionId& region) {
  auto changed = info.settings.changed_in(name, region);
  return changed == conflict::Version{} ? info.created_ms : changed.hlc.physical_ms();
}

void append_billing(JsonMembers& table, const store::TableInfo& info, const RegionId& region) {
  const auto& settings = info.settings;
  bool provisioned = !info.on_demand();
  JsonMembers throughput(table.name("ProvisionedThroughput"));
  throughput.integer("NumberOfDecreasesToday", 0);
  throughput.integer("ReadCapacityUnits",
                     provisioned ? settings.number_in(setting::kReadUnits, region) : 0);
  throughput.integer("WriteCapacityUnits",
                     provisioned ? settings.number(setting::kWriteUnits) : 0);
  throughput.end();
  if (provisioned) return;
  JsonMembers billing(table.name("BillingModeSummary"));
  billing.text("BillingMode", "PAY_PER_REQUEST");
  append_seconds(billing.name("LastUpdateToPayPerRequestDateTime"),
                 changed_ms(info, setting::kBillingMode, region));
  billing.end();
  auto read_max = settings.number_in(setting::kReadRequestsMax, region);
  auto write_max = settings.number(setting::kWriteRequestsMax);
  if (read_max == 0 && write_max == 0) return;
  JsonMembers maximum(table.name("OnDemandThroughput"));
  if (read_max > 0) maximum.integer("MaxReadRequestUnits", read_max);
  if (write_max > 0) maximum.integer("MaxWriteRequestUnits", write_max);
  maximum.end();
}

// Only where a class was ever chosen, as on AWS.
void append_class(JsonMembers& out, std::string_view member, const store::TableInfo& info,
                  const RegionId& region) {
  auto table_class = info.settings.text_in(setting::kTableClass, region);
  if (table_class.empty()) return;
  JsonMembers summary(out.name(member));
  summary.text("TableClass", table_class);
  append_seconds(summary.name("LastUpdateDateTime"),
                 changed_ms(info, setting::kTableClass, region));
  summary.end();
}

// What was asked for; the status says that nothing is encrypted.
void append_encryption(JsonMembers& table, const store::TableInfo& info, const RegionId& region) {
  auto type = info.settings.text(setting::kEncryption);
  if (type.empty()) return;
  JsonMembers encryption(table.name("SSEDescription"));
  encryption.text("Status", "DISABLED");
  encryption.text("SSEType", type);
  auto key = info.settings.text_in(setting::kEncryptionKey, region);
  if (!key.empty()) encryption.text("KMSMasterKeyArn", key);
  encryption.end();
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

// What a replica has of its own.
void append_overrides(JsonMembers& replica, const store::TableInfo& info, const RegionId& region) {
  auto units = [&](std::string_view name, const char* member, const char* unit) {
    if (!info.settings.override_of(name, region)) return;
    JsonMembers own(replica.name(member));
    own.integer(unit, info.settings.number_in(name, region));
    own.end();
  };
  if (info.on_demand())
    units(setting::kReadRequestsMax, "OnDemandThroughputOverride", "MaxReadRequestUnits");
  else
    units(setting::kReadUnits, "ProvisionedThroughputOverride", "ReadCapacityUnits");
  append_class(replica, "ReplicaTableClassSummary", info, region);
  auto key = info.settings.text_in(setting::kEncryptionKey, region);
  if (!key.empty()) replica.text("KMSMasterKeyId", key);
}

// Only for a global table; all its regions, this one included.
void append_replicas(JsonMembers& table, const store::TableInfo& info, const RegionId& self,
                     const std::map<RegionId, ReplicaProgress>& progress) {
  if (info.peers(self).empty()) return;
  table.text("GlobalTableVersion",
             store::is_2017(info.settings) ? store::kVersion2017 : "2019.11.21");
  table.text("GlobalTableSettingsReplicationMode", "ENABLED_WITH_OVERRIDES");
  append_replica_list(table.name("Replicas"), info, [&](auto& replica, auto& region, auto& entry) {
    replica.text("ReplicaStatus", replica_status(entry));
    if (entry.copying) {
      auto known = progress.find(region);
      replica.text("ReplicaStatusPercentProgress",
                   std::to_string(known == progress.end() ? 0 : known->second.percent));
      if (known != progress.end()) replica.text("ReplicaStatusDescription", known->second.text);
    }
    replica.text("ReplicaArn", table_arn(region, info.name));
    replica.text("GlobalTableSettingsReplicationMode", "ENABLED_WITH_OVERRIDES");
    append_overrides(replica, info, region);
  });
}

// The 128 bits in the form of a UUID.
std::string table_id_text(const TableId& id) {
  std::string hex = id.hex();
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

}  // namespace

std::string_view replica_status(const store::ReplicaEntry& replica) {
  return replica.copying ? "CREATING" : "ACTIVE";
}

void append_replica_list(std::string& out, const store::TableInfo& table,
                         const std::function<void(JsonMembers& replica, const RegionId& region,
                                                  const store::ReplicaEntry& entry)>& rest) {
  out += '[';
  bool first = true;
  for (const auto& [region, entry] : table.replicas) {
    if (!entry.present) continue;
    if (!first) out += ',';
    first = false;
    JsonMembers replica(out);
    replica.text("RegionName", region.name());
    rest(replica, region, entry);
    replica.end();
  }
  out += ']';
}

std::string_view table_status(const store::TableInfo& table, const RegionId& self) {
  if (table.is_copying(self)) return "CREATING";
  if (table.is_fenced(self)) return "ARCHIVED";
  for (const auto& region : table.peers(self))
    if (table.is_copying(region)) return "UPDATING";
  return "ACTIVE";
}

void append_seconds(std::string& out, std::int64_t ms) {
  fmt::format_to(std::back_inserter(out), "{}.{:03}", ms / 1000, ms % 1000);
}

void append_table_description(std::string& out, const store::TableInfo& table,
                              const store::TableStats& stats, const RegionId& region,
                              std::string_view status,
                              const std::map<RegionId, ReplicaProgress>& progress) {
  JsonMembers members(out);
  append_keys(members, table.keys);
  members.text("TableName", table.name);
  members.text("TableStatus", status);
  append_seconds(members.name("CreationDateTime"), table.created_ms);
  append_billing(members, table, region);
  append_class(members, "TableClassSummary", table, region);
  append_encryption(members, table, region);
  members.integer("TableSizeBytes", static_cast<std::int64_t>(stats.item_bytes));
  members.integer("ItemCount", static_cast<std::int64_t>(stats.items));
  members.text("TableArn", table_arn(region, table.name));
  members.text("TableId", table_id_text(table.id));
  append_stream(members, table, region);
  append_replicas(members, table, region, progress);
  members.boolean("DeletionProtectionEnabled", table.deletion_protection);
  members.end();
}

}  // namespace meridian::api
