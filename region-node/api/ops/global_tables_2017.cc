// The calls of global tables version 2017.11.29.  AWS answers them with errors today, also for the name
// of a table that is global in the way of 2019.11.21, and so does a node unless its setting
// global_tables_2017 is on: then CreateGlobalTable joins empty tables of one name.
#include <functional>
#include <memory>

#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/ops/table_params.h"
#include "region-node/api/request.h"
#include "region-node/api/table_description.h"
#include "region-node/api/write_outcome.h"
#include "region-node/store/global_version.h"

namespace meridian::api::ops {
namespace {

namespace setting = store::setting;

constexpr std::size_t kRegionsMax = 64;
constexpr std::string_view kNotSupported =
    "DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB "
    "global tables version 2019.11.21, instead of version 2017.11.29 (Legacy).";
constexpr std::string_view kWouldStay =
    "A replica of a global table of version 2017.11.29 would keep its table when it is removed, "
    "which is not supported here; UpdateTable with ReplicaUpdates removes one with its items.";

ApiError invalid(std::string_view text) { return ApiError::validation(std::string(text)); }

std::string read_global_name(const Call& call, Constraints& constraints, Problems& problems) {
  auto name = call.input.get("GlobalTableName").text(problems);
  constraints.required(name.has_value(), "globalTableName");
  if (name) constraints.new_table_name(*name, "globalTableName");
  return std::string(name.value_or(""));
}

// The table, if it is global in this way; the same error as on AWS for every other.
Result<store::TablePtr, ApiError> find_global(const Call& call, Constraints& constraints,
                                              Problems& problems) {
  auto name = read_global_name(call, constraints, problems);
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  auto table = call.services.store.catalog()->find(name);
  bool there = call.services.global_tables_2017 && table && store::is_2017(table->settings) &&
               !table->peers(call.services.store.region()).empty();
  if (!there) return Err(ApiError::global_table_not_found(name));
  return table;
}

std::optional<RegionId> read_region(const JsonObject& in, const std::string& path,
                                    Constraints& constraints, Problems& problems) {
  auto name = in.get("RegionName").text(problems);
  constraints.required(name.has_value(), path + "regionName");
  auto region = RegionId::parse(name.value_or(""));
  if (name && !region)
    problems.report(invalid("Region " + std::string(*name) + " is not supported."));
  return region;
}

void append_group(JsonMembers& out, const store::TableInfo& table, bool with_status) {
  append_replica_list(out.name("ReplicationGroup"), table, [&](auto& replica, auto&, auto& entry) {
    if (with_status) replica.text("ReplicaStatus", replica_status(entry));
  });
}

std::string description_of(const store::TableInfo& table, std::string_view status) {
  std::string out;
  JsonMembers answer(out);
  JsonMembers members(answer.name("GlobalTableDescription"));
  append_group(members, table, true);
  members.text("GlobalTableArn",
               "arn:aws:dynamodb::000000000000:global-table/" + table.name);
  append_seconds(members.name("CreationDateTime"), table.created_ms);
  members.text("GlobalTableStatus", status);
  members.text("GlobalTableName", table.name);
  members.end();
  answer.end();
  return out;
}

std::string settings_of(const store::TableInfo& table) {
  std::string out;
  JsonMembers answer(out);
  answer.text("GlobalTableName", table.name);
  bool provisioned = !table.on_demand();
  auto& list = answer.name("ReplicaSettings");
  append_replica_list(list, table, [&](auto& replica, auto& region, auto& entry) {
    replica.text("ReplicaStatus", replica_status(entry));
    if (!provisioned) {
      JsonMembers billing(replica.name("ReplicaBillingModeSummary"));
      billing.text("BillingMode", "PAY_PER_REQUEST");
      billing.end();
    }
    replica.integer("ReplicaProvisionedReadCapacityUnits",
                    provisioned ? table.settings.number_in(setting::kReadUnits, region) : 0);
    replica.integer("ReplicaProvisionedWriteCapacityUnits",
                    provisioned ? table.settings.number(setting::kWriteUnits) : 0);
  });
  answer.end();
  return out;
}

// Adds regions to a table, one after another, and answers with the global table that it is then.
class Joining : public std::enable_shared_from_this<Joining> {
 public:
  Joining(const Services& services, store::TablePtr table, std::vector<RegionId> regions,
          std::string status, Reply reply)
      : services_(services),
        table_(std::move(table)),
        regions_(std::move(regions)),
        status_(std::move(status)),
        reply_(std::move(reply)) {}

  // Says first that the table is global in this way: a region that is asked to make a replica of such
  // a table puts it in the place of its own empty one.
  void mark_and_start() {
    mark(store::kVersion2017, [self = shared_from_this()](store::ControlResult result) {
      if (!result) return self->reply_(Err(control_error(result.error(), self->table_->name)));
      self->start();
    });
  }

  void start() {
    if (at_ == regions_.size()) return reply_(description_of(*current(), status_));
    services_.replicas.create_replica(
        current(), regions_[at_++], [self = shared_from_this()](Result<void, ApiError> result) {
          if (result) return self->start();
          self->fail(std::move(result).error());
        });
  }

 private:
  void mark(std::string_view version, store::ControlDone done) {
    store::TableChange change;
    change.settings.emplace(std::string(setting::kGlobalVersion), std::string(version));
    services_.store.change_table(table_->id, change, std::move(done));
  }

  store::TablePtr current() const {
    auto now = services_.store.catalog()->find(table_->id);
    return now ? now : table_;
  }

  // With no other region it is an ordinary table again.
  void fail(ApiError error) {
    if (!current()->peers(services_.store.region()).empty()) return reply_(Err(std::move(error)));
    mark("", [self = shared_from_this(), error](const store::ControlResult&) {
      self->reply_(Err(error));
    });
  }

  const Services& services_;
  const store::TablePtr table_;
  const std::vector<RegionId> regions_;
  const std::string status_;
  const Reply reply_;
  std::size_t at_ = 0;
};

// What a table must be to become a replica here; the other regions look at theirs.
void check_joinable(const Call& call, const store::TableInfo& table, Problems& problems) {
  if (!table.peers(call.services.store.region()).empty())
    problems.report(ApiError::global_table_exists(table.name));
  const auto* stream = table.enabled_stream();
  if (stream == nullptr || stream->view != model::StreamViewType::NEW_AND_OLD_IMAGES)
    problems.report(
        invalid("The table must have a stream of NEW_AND_OLD_IMAGES to become global."));
  if (call.services.readers.borrow()->stats(table.id).items > 0)
    problems.report(invalid("The table must be empty to become global."));
}

// The other regions of the group; none if this one is not in it.
std::vector<RegionId> read_group(const Call& call, Constraints& constraints, Problems& problems) {
  std::vector<RegionId> others;
  bool self_too = false;
  auto list = call.input.get("ReplicationGroup").array(problems);
  constraints.required(call.input.get("ReplicationGroup").present(), "replicationGroup");
  for (std::size_t i = 0; list && i < list->size() && i < kRegionsMax && !problems.any(); ++i) {
    auto one = list->at(i).object(problems);
    if (!one) break;
    auto region = read_region(*one, "replicationGroup." + std::to_string(i + 1) + ".member.",
                              constraints, problems);
    self_too = self_too || region == call.services.store.region();
    if (region && *region != call.services.store.region()) others.push_back(*region);
  }
  if (!self_too) others.clear();
  return others;
}

std::vector<RegionId> read_additions(const Call& call, const store::TableInfo& table,
                                     Constraints& constraints, Problems& problems) {
  std::vector<RegionId> out;
  auto list = call.input.get("ReplicaUpdates").array(problems);
  constraints.required(call.input.get("ReplicaUpdates").present(), "replicaUpdates");
  for (std::size_t i = 0; list && i < list->size() && i < kRegionsMax && !problems.any(); ++i) {
    auto one = list->at(i).object(problems);
    if (!one) break;
    std::string path = "replicaUpdates." + std::to_string(i + 1) + ".member.";
    auto create = one->get("Create").object(problems);
    auto remove = one->get("Delete").object(problems);
    if (create.has_value() == remove.has_value()) {
      problems.report(invalid("Each of ReplicaUpdates must have one of Create and Delete."));
      break;
    }
    auto region = read_region(create ? *create : *remove,
                              path + (create ? "create." : "delete."), constraints, problems);
    if (!region) break;
    bool there = table.has_replica(*region);
    if (create && there) problems.report(ApiError::replica_exists(table.name, *region));
    if (remove && !there) problems.report(ApiError::replica_not_found(table.name, *region));
    if (remove && there) problems.report(invalid(kWouldStay));
    if (create && !there) out.push_back(*region);
  }
  return out;
}

// The settings of each replica that a request changes.
void read_replica_settings(const Call& call, const store::TableInfo& table, SettingValues& settings,
                           Constraints& constraints, Problems& problems) {
  auto list = call.input.get("ReplicaSettingsUpdate").array(problems);
  for (std::size_t i = 0; list && i < list->size() && i < kRegionsMax && !problems.any(); ++i) {
    auto one = list->at(i).object(problems);
    if (!one) break;
    std::string path = "replicaSettingsUpdate." + std::to_string(i + 1) + ".member.";
    auto region = read_region(*one, path, constraints, problems);
    if (!region) break;
    if (!table.has_replica(*region))
      problems.report(ApiError::replica_not_found(table.name, *region));
    refuse_members(*one,
                   {"ReplicaProvisionedReadCapacityAutoScalingSettingsUpdate",
                    "ReplicaGlobalSecondaryIndexSettingsUpdate"},
                   problems);
    auto read = one->get("ReplicaProvisionedReadCapacityUnits").integer(problems);
    constraints.at_least(read, path + "replicaProvisionedReadCapacityUnits", 1);
    auto table_class = one->get("ReplicaTableClass").text(problems);
    constraints.one_of(table_class, path + "replicaTableClass",
                       {"STANDARD", "STANDARD_INFREQUENT_ACCESS"});
    if (read) settings[setting::of_region(setting::kReadUnits, *region)] = std::to_string(*read);
    if (table_class)
      settings[setting::of_region(setting::kTableClass, *region)] = std::string(*table_class);
  }
}

// A provisioned table has units for every replica.
void check_provisioned(const store::TableInfo& table, SettingValues& settings, Problems& problems) {
  auto mode = settings.find(std::string(setting::kBillingMode));
  if (mode == settings.end() || mode->second != "PROVISIONED" || !table.on_demand()) return;
  bool whole = settings.count(std::string(setting::kWriteUnits)) != 0;
  for (const auto& [region, entry] : table.replicas) {
    auto own = settings.find(setting::of_region(setting::kReadUnits, region));
    if (!entry.present) continue;
    if (own == settings.end()) whole = false;
    // What a later replica begins with.
    else settings.emplace(std::string(setting::kReadUnits), own->second);
  }
  if (!whole)
    problems.report(invalid("GlobalTableProvisionedWriteCapacityUnits, and for each replica "
                            "ReplicaProvisionedReadCapacityUnits, must be specified when "
                            "GlobalTableBillingMode is PROVISIONED."));
}

}  // namespace

void create_global_table(const Call& call, Reply reply) {
  Problems problems;
  Constraints constraints;
  auto name = read_global_name(call, constraints, problems);
  auto others = read_group(call, constraints, problems);
  constraints.finish(problems);
  if (problems.any()) return reply(Err(problems.take()));
  if (!call.services.global_tables_2017) return reply(Err(invalid(kNotSupported)));
  if (others.empty())
    return reply(Err(invalid(
        "ReplicationGroup must name the region asked and at least one other.")));
  auto table = call.services.store.catalog()->find(name);
  if (!table) return reply(Err(ApiError::table_not_found(name)));
  check_joinable(call, *table, problems);
  if (problems.any()) return reply(Err(problems.take()));
  std::make_shared<Joining>(call.services, std::move(table), std::move(others), "CREATING",
                            std::move(reply))
      ->mark_and_start();
}

void update_global_table(const Call& call, Reply reply) {
  Problems problems;
  Constraints constraints;
  auto table = find_global(call, constraints, problems);
  if (!table) return reply(Err(std::move(table.error())));
  Constraints of_updates;
  auto regions = read_additions(call, **table, of_updates, problems);
  of_updates.finish(problems);
  if (problems.any()) return reply(Err(problems.take()));
  std::make_shared<Joining>(call.services, std::move(*table), std::move(regions), "UPDATING",
                            std::move(reply))
      ->start();
}

Answer describe_global_table(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto table = find_global(call, constraints, problems);
  if (!table) return Err(std::move(table.error()));
  return description_of(**table, "ACTIVE");
}

Answer describe_global_table_settings(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto table = find_global(call, constraints, problems);
  if (!table) return Err(std::move(table.error()));
  return settings_of(**table);
}

void update_global_table_settings(const Call& call, Reply reply) {
  Problems problems;
  Constraints constraints;
  auto table = find_global(call, constraints, problems);
  if (!table) return reply(Err(std::move(table.error())));
  Constraints of_settings;
  refuse_members(call.input,
                 {"GlobalTableProvisionedWriteCapacityAutoScalingSettingsUpdate",
                  "GlobalTableGlobalSecondaryIndexSettingsUpdate"},
                 problems);
  store::TableChange change;
  auto mode = call.input.get("GlobalTableBillingMode").text(problems);
  of_settings.one_of(mode, "globalTableBillingMode", {"PROVISIONED", "PAY_PER_REQUEST"});
  auto write = call.input.get("GlobalTableProvisionedWriteCapacityUnits").integer(problems);
  of_settings.at_least(write, "globalTableProvisionedWriteCapacityUnits", 1);
  if (mode) change.settings[std::string(setting::kBillingMode)] = std::string(*mode);
  if (write) change.settings[std::string(setting::kWriteUnits)] = std::to_string(*write);
  read_replica_settings(call, **table, change.settings, of_settings, problems);
  of_settings.finish(problems);
  if (!problems.any()) check_provisioned(**table, change.settings, problems);
  if (problems.any()) return reply(Err(problems.take()));
  call.services.store.change_table(
      (*table)->id, change,
      [&services = call.services, name = (*table)->name,
       reply = std::move(reply)](store::ControlResult result) {
        if (!result) return reply(Err(control_error(result.error(), name)));
        services.replicas.announce((*result)->id);
        reply(settings_of(**result));
      });
}

Answer list_global_tables(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto limit = call.input.get("Limit").integer(problems);
  constraints.at_least(limit, "limit", 1);
  auto after = call.input.get("ExclusiveStartGlobalTableName").text(problems);
  if (after) constraints.new_table_name(*after, "exclusiveStartGlobalTableName");
  auto region = RegionId::parse(call.input.get("RegionName").text(problems).value_or(""));
  constraints.finish(problems);
  if (problems.any()) return Err(problems.take());
  auto catalog = call.services.store.catalog();
  auto self = call.services.store.region();
  std::string out;
  JsonMembers members(out);
  auto& list = members.name("GlobalTables");
  list += '[';
  std::string last;
  std::int64_t count = 0;
  bool more = false;
  auto at = after ? catalog->by_name.upper_bound(*after) : catalog->by_name.begin();
  for (; at != catalog->by_name.end() && call.services.global_tables_2017; ++at) {
    const auto& table = *at->second;
    bool listed = store::is_2017(table.settings) && !table.peers(self).empty() &&
                  (!region || table.has_replica(*region));
    if (!listed) continue;
    more = count == limit.value_or(100);
    if (more) break;
    if (count++ > 0) list += ',';
    JsonMembers one(list);
    one.text("GlobalTableName", table.name);
    append_group(one, table, false);
    one.end();
    last = table.name;
  }
  list += ']';
  if (more) members.text("LastEvaluatedGlobalTableName", last);
  members.end();
  return out;
}

}  // namespace meridian::api::ops
