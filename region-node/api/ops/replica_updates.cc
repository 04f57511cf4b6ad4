#include "region-node/api/ops/replica_updates.h"

#include <algorithm>

#include "region-node/api/ops/table_params.h"

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
  return ReplicaUpdate{name->action, *parsed};
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
    } else if (update.action == Action::create && table.billing_mode == "PROVISIONED") {
      refuse(problems, kNotAutoScaled);
    }
  }
}

bool makes_global(const std::vector<ReplicaUpdate>& updates) {
  return !updates.empty() && updates.front().action == Action::create;
}

}  // namespace meridian::api::ops
