#include "region-node/api/ops/replica_updates.h"

#include <algorithm>

namespace meridian::api::ops {
namespace {

using Action = ReplicaUpdate::Action;

constexpr std::string_view kNoAction =
    "There are no actions specified in the Replica Update Action of the request.";
constexpr std::string_view kTypesMixed =
    "Update table operation with more than one type of replica actions not allowed.";
constexpr std::string_view kTooMany =
    "Update table operation with more than one create or delete replica actions not allowed";
constexpr std::string_view kLocalRegion =
    "Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, "
    "DeleteTable, or UpdateTable as required.";
constexpr std::string_view kNoUnits =
    "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
    "PAY_PER_REQUEST";
constexpr std::string_view kKeyRefused =
    "One or more parameter values were invalid: KMSMasterKeyId must be specified for each replica.";
constexpr std::string_view kNotAutoScaled =
    "Table write capacity should either be Pay-Per-Request or AutoScaled.";

struct Name {
  const char* member;
  const char* path;
  Action action;
};
constexpr Name kActions[] = {{"Create", "create", Action::create},
                             {"Update", "update", Action::update},
                             {"Delete", "delete", Action::remove}};

void refuse(Problems& problems, std::string_view text) {
  problems.report(ApiError::validation(std::string(text)));
}

SettingValues read_overrides(const JsonObject& action, const std::string& path,
                             Constraints& constraints, Problems& problems) {
  namespace setting = store::setting;
  SettingValues out;
  auto put = [&out](std::string_view name, std::string value) {
    out.emplace(std::string(name), std::move(value));
  };
  if (auto units = action.get("ProvisionedThroughputOverride").object(problems)) {
    auto read = units->get("ReadCapacityUnits").integer(problems);
    constraints.at_least(read, path + ".provisionedThroughputOverride.readCapacityUnits", 1);
    if (read) put(setting::kReadUnits, std::to_string(*read));
  }
  if (auto units = action.get("OnDemandThroughputOverride").object(problems)) {
    auto read = units->get("MaxReadRequestUnits").integer(problems);
    if (read) put(setting::kReadRequestsMax, units_or_none(*read));
  }
  auto table_class = action.get("TableClassOverride").text(problems);
  constraints.one_of(table_class, path + ".tableClassOverride",
                     {"STANDARD", "STANDARD_INFREQUENT_ACCESS"});
  if (table_class) put(setting::kTableClass, std::string(*table_class));
  auto key = action.get("KMSMasterKeyId").text(problems);
  if (key) put(setting::kEncryptionKey, std::string(*key));
  return out;
}

std::optional<ReplicaUpdate> read_one(const JsonObject& one, const std::string& path,
                                      Constraints& constraints, Problems& problems) {
  const Name* name = nullptr;
  std::size_t actions = 0;
  for (const auto& each : kActions) {
    if (!one.get(each.member).present()) continue;
    ++actions;
    name = &each;
  }
  if (actions != 1) {
    refuse(problems, actions == 0 ? kNoAction : kTypesMixed);
    return std::nullopt;
  }
  auto action = one.get(name->member).object(problems);
  if (!action) return std::nullopt;
  refuse_members(*action, {"GlobalSecondaryIndexes"}, problems);
  auto region = action->get("RegionName").text(problems);
  constraints.required(region.has_value(), path + name->path + ".regionName");
  if (!region || problems.any()) return std::nullopt;
  auto parsed = RegionId::parse(*region);
  if (!parsed) {
    refuse(problems, "Region " + std::string(*region) + " is not supported.");
    return std::nullopt;
  }
  SettingValues overrides;
  if (name->action != Action::remove)
    overrides = read_overrides(*action, path + name->path, constraints, problems);
  if (name->action == Action::update && overrides.empty()) refuse(problems, kNoAction);
  return ReplicaUpdate{name->action, *parsed, std::move(overrides)};
}

// One Create or Delete per request; the same one said twice is said once.
void keep_one_action(std::vector<ReplicaUpdate>& updates, Problems& problems) {
  auto first = updates.front();
  auto same = [&first](const auto& other) { return other.action == first.action; };
  if (!std::all_of(updates.begin(), updates.end(), same)) return refuse(problems, kTypesMixed);
  if (first.action == Action::update) return;
  auto equal = [&first](const auto& other) { return other.region == first.region; };
  if (!std::all_of(updates.begin(), updates.end(), equal)) return refuse(problems, kTooMany);
  updates.resize(1, first);
}

std::string not_part(const RegionId& region) {
  return "Update global table operation failed because one or more replicas were not part of the "
         "global table. Please retry the request without these replicas: [" +
         std::string(region.name()) + "].";
}

std::string already_a_table(const std::string& table) {
  return "Failed to create a the new replica of table with name: '" + table +
         "' because one or more replicas already existed as tables.";
}

}  // namespace

std::vector<ReplicaUpdate> read_replica_updates(const JsonObject& input, Constraints& constraints,
                                                Problems& problems) {
  std::vector<ReplicaUpdate> out;
  auto list = input.get("ReplicaUpdates").array(problems);
  if (!list) return out;
  if (list->size() == 0)
    constraints.fail("[]", "replicaUpdates", "have length greater than or equal to 1");
  if (list->size() > kReplicaUpdatesMax)
    constraints.fail("[...]", "replicaUpdates", "have length less than or equal to 10");
  for (std::size_t i = 0; i < list->size() && !problems.any(); ++i) {
    auto one = list->at(i).object(problems);
    if (!one) break;
    std::string path = "replicaUpdates." + std::to_string(i + 1) + ".member.";
    auto update = read_one(*one, path, constraints, problems);
    if (update) out.push_back(*update);
  }
  if (!problems.any() && !out.empty()) keep_one_action(out, problems);
  return out;
}

namespace {

// What the billing mode, or AWS, does not let a replica have of its own.
void check_overrides(const ReplicaUpdate& update, const store::TableInfo& table,
                     Problems& problems) {
  namespace setting = store::setting;
  auto has = [&update](std::string_view name) {
    return update.overrides.count(std::string(name)) != 0;
  };
  check_request_units(update.overrides, table.settings.text(setting::kBillingMode), problems);
  if (update.action != Action::update) return;
  if (table.on_demand() && has(setting::kReadUnits)) refuse(problems, kNoUnits);
  if (has(setting::kEncryptionKey)) refuse(problems, kKeyRefused);
}

}  // namespace

void check_replica_updates(const std::vector<ReplicaUpdate>& updates, const store::TableInfo& table,
                           const RegionId& self, Problems& problems) {
  for (const auto& update : updates) {
    bool there = table.has_replica(update.region);
    if (update.region == self) {
      refuse(problems, kLocalRegion);
    } else if (update.action != Action::create && !there) {
      refuse(problems, not_part(update.region));
    } else if (update.action == Action::create && there) {
      refuse(problems, already_a_table(table.name));
    } else if (update.action == Action::create && !table.on_demand()) {
      refuse(problems, kNotAutoScaled);
    } else {
      check_overrides(update, table, problems);
    }
  }
}

SettingValues override_changes(const std::vector<ReplicaUpdate>& updates,
                               const store::TableInfo& table) {
  namespace setting = store::setting;
  SettingValues out;
  for (const auto& update : updates) {
    if (update.action == Action::create)
      for (auto name : {setting::kReadUnits, setting::kReadRequestsMax, setting::kTableClass,
                        setting::kEncryptionKey})
        if (!table.settings.text(setting::of_region(name, update.region)).empty())
          out.emplace(setting::of_region(name, update.region), "");
    for (const auto& [name, value] : update.overrides)
      out.insert_or_assign(setting::of_region(name, update.region), value);
  }
  return out;
}

bool makes_global(const std::vector<ReplicaUpdate>& updates) {
  return !updates.empty() && updates.front().action == Action::create;
}

}  // namespace meridian::api::ops
