// meridian table create|list|describe|delete, over DynamoDB's own API.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>

#include "common/clock.h"
#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/table_calls.h"
#include "tools/meridian/unreachable.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::int64_t kActiveMsMax = 60'000;
constexpr std::int64_t kPollMs = 100;

struct KeyAttribute {
  std::string name;
  std::string type;
};

KeyAttribute parse_key(const std::string& flag, const std::string& text) {
  auto colon = text.rfind(':');
  KeyAttribute out;
  if (colon != std::string::npos) out = {text.substr(0, colon), text.substr(colon + 1)};
  if (out.name.empty() || (out.type != "S" && out.type != "N" && out.type != "B"))
    throw UsageError(flag + " must be NAME:TYPE with type S, N or B, such as customer:S");
  return out;
}

json::object create_request(const CreateOptions& create) {
  std::vector<KeyAttribute> keys = {parse_key("--key", create.key)};
  if (!create.sort.empty()) keys.push_back(parse_key("--sort", create.sort));
  json::array definitions;
  json::array schema;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    definitions.push_back({{"AttributeName", keys[i].name}, {"AttributeType", keys[i].type}});
    schema.push_back({{"AttributeName", keys[i].name}, {"KeyType", i == 0 ? "HASH" : "RANGE"}});
  }
  json::object out{{"TableName", create.name},
                   {"BillingMode", "PAY_PER_REQUEST"},
                   {"AttributeDefinitions", std::move(definitions)},
                   {"KeySchema", std::move(schema)}};
  if (!create.stream.empty())
    out["StreamSpecification"] =
        json::object{{"StreamEnabled", true}, {"StreamViewType", create.stream}};
  return out;
}

}  // namespace

std::optional<json::object> describe(TableApi& api, const std::string& name) {
  try {
    return api.call("DescribeTable", {{"TableName", name}}).at("Table").as_object();
  } catch (const ApiFailure& e) {
    if (e.type() == "ResourceNotFoundException") return std::nullopt;
    throw;
  }
}

std::map<std::string, json::object> replicas_of(const json::object& table) {
  std::map<std::string, json::object> out;
  const json::value* list = table.if_contains("Replicas");
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& replica : list->as_array())
    out[text_at(replica.as_object(), "RegionName")] = replica.as_object();
  return out;
}

namespace {

// ACTIVE here, and lists every one of `regions` as ACTIVE.
bool is_active(const std::optional<json::object>& table, const std::string& self,
               const std::vector<std::string>& regions) {
  if (!table || text_at(*table, "TableStatus") != "ACTIVE") return false;
  auto replicas = replicas_of(*table);
  for (const auto& region : regions) {
    auto at = replicas.find(region);
    if (region == self) continue;
    if (at == replicas.end() || text_at(at->second, "ReplicaStatus") != "ACTIVE") return false;
  }
  return true;
}

void wait_active(const Endpoints& region, const std::string& name,
                 const std::vector<std::string>& regions) {
  TableApi api(region.table, region.name);
  SystemClock clock;
  std::int64_t deadline_ms = clock.monotonic_ms() + kActiveMsMax;
  while (!is_active(describe(api, name), region.name, regions)) {
    if (clock.monotonic_ms() > deadline_ms)
      throw std::runtime_error(name + " did not become ACTIVE in " + region.name + " within " +
                               readable_ms(kActiveMsMax) + "; see meridian table describe " + name);
    pause_ms(kPollMs);
  }
}

// Regions that start together may not have found each other yet: these errors pass.
bool passes(const ApiFailure& failure) {
  return failure.status() >= 500 || failure.type() == "ResourceInUseException" ||
         failure.type() == "LimitExceededException" || failure.type() == "ThrottlingException";
}

}  // namespace

void update_replica(const Endpoints& home, const std::string& name, const char* action,
                    const std::string& region) {
  json::array updates;
  updates.push_back(json::object{{action, json::object{{"RegionName", region}}}});
  json::object request{{"TableName", name}, {"ReplicaUpdates", std::move(updates)}};
  TableApi api(home.table, home.name);
  SystemClock clock;
  std::int64_t deadline_ms = clock.monotonic_ms() + kActiveMsMax;
  for (bool told = false;;) {
    try {
      api.call("UpdateTable", request);
      return;
    } catch (const ApiFailure& e) {
      if (!passes(e) || clock.monotonic_ms() > deadline_ms) throw;
      if (!told) progress("trying again: " + region + ": " + e.what());
      told = true;
    }
    pause_ms(kPollMs * 5);
  }
}

namespace {

std::string host_and_port(std::string endpoint) {
  auto scheme = endpoint.find("://");
  if (scheme != std::string::npos) endpoint = endpoint.substr(scheme + 3);
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (endpoint.find(':') == std::string::npos)
    throw UsageError("--endpoint must be host:port or http://host:port");
  return endpoint;
}

// The regions to talk to: those of the deployment, or the one endpoint.
Deployment regions_for(const Options& options) {
  if (!options.endpoint) return load_deployment(options.deployment);
  Deployment out;
  out.path = "--endpoint";
  Endpoints one;
  one.name = "endpoint";
  one.table = host_and_port(*options.endpoint);
  out.regions.push_back(one);
  return out;
}

void confirm(const DeleteOptions& deletion, const Deployment& deployment) {
  if (deletion.yes) return;
  throw UsageError("this deletes " + deletion.name + " and its items in every region of " +
                   deployment.path + "; say --yes to do it");
}

}  // namespace

void make_table(const Deployment& deployment, const CreateOptions& create) {
  json::object request = create_request(create);
  std::vector<std::string> names = create.regions;
  if (names.empty())
    for (const auto& region : deployment.regions) names.push_back(region.name);
  const Endpoints& home = deployment.region(names.front());
  TableApi api(home.table, home.name);
  auto existing = describe(api, create.name);
  if (existing && !create.if_missing)
    throw UsageError(create.name + " exists already; --if-missing adds only what is not there");
  if (!existing) {
    api.call("CreateTable", request);
    wait_active(home, create.name, {});
    progress("created " + create.name + " in " + home.name);
  }
  for (std::size_t i = 1; i < names.size(); ++i) {
    (void)deployment.region(names[i]);
    auto table = describe(api, create.name);
    if (table && replicas_of(*table).contains(names[i])) continue;
    update_replica(home, create.name, "Create", names[i]);
    wait_active(home, create.name, {names[i]});
    progress("added the replica in " + names[i]);
  }
  for (const auto& name : names)
    wait_active(deployment.region(name), create.name,
                names.size() > 1 ? names : std::vector<std::string>{});
}

int create_table(const Options& options, const CreateOptions& create) {
  (void)create_request(create);  // wrong usage is said before a wrong deployment
  make_table(regions_for(options), create);
  return describe_table(options, create.name);
}

int list_tables(const Options& options) {
  Deployment deployment = regions_for(options);
  std::map<std::string, std::string> regions_by_table;
  json::array list;
  for (const auto& region : deployment.regions) {
    TableApi api(region.table, region.name);
    json::object request;
    for (bool more = true; more;) {
      json::object answer = api.call("ListTables", request);
      for (const auto& name : answer.at("TableNames").as_array()) {
        list.push_back({{"region", region.name}, {"table", name.as_string()}});
        std::string& regions = regions_by_table[std::string(name.as_string())];
        regions += (regions.empty() ? "" : ", ") + region.name;
      }
      std::string last = text_at(answer, "LastEvaluatedTableName");
      more = !last.empty();
      request["ExclusiveStartTableName"] = last;
    }
  }
  Table table{{"table", "regions"}, {}};
  for (const auto& [name, regions] : regions_by_table) table.rows.push_back({name, regions});
  print_result(options.format, table, json::serialize(list));
  return kExitYes;
}

int describe_table(const Options& options, const std::string& name) {
  Deployment deployment = regions_for(options);
  Table table{{"region", "status", "items", "bytes", "stream", "replicas"}, {}};
  json::array list;
  for (const auto& region : deployment.regions) {
    TableApi api(region.table, region.name);
    auto described = describe(api, name);
    if (!described) continue;
    std::string replicas;
    for (const auto& [replica, said] : replicas_of(*described)) {
      replicas += (replicas.empty() ? "" : ", ") + replica + " " + text_at(said, "ReplicaStatus");
      std::string percent = text_at(said, "ReplicaStatusPercentProgress");
      if (percent.empty()) continue;
      replicas += " " + percent + "%";
      if (replica == region.name)
        progress(region.name + ": " + text_at(said, "ReplicaStatusDescription"));
    }
    auto number = [&described](const char* key) {
      const json::value* value = described->if_contains(key);
      return value == nullptr ? std::string("-") : json::serialize(*value);
    };
    const json::value* stream = described->if_contains("StreamSpecification");
    std::string view =
        stream == nullptr ? "-" : text_at(stream->as_object(), "StreamViewType", "-");
    table.rows.push_back({region.name, text_at(*described, "TableStatus"), number("ItemCount"),
                          number("TableSizeBytes"), view, replicas.empty() ? "-" : replicas});
    list.push_back({{"region", region.name}, {"table", std::move(*described)}});
  }
  if (list.empty()) throw UsageError("no region has a table named " + name);
  print_result(options.format, table, json::serialize(list));
  return kExitYes;
}

int delete_table(const Options& options, const DeleteOptions& deletion) {
  Deployment deployment = regions_for(options);
  confirm(deletion, deployment);
  const Endpoints* home = nullptr;
  std::map<std::string, json::object> replicas;
  for (const auto& region : deployment.regions) {
    TableApi api(region.table, region.name);
    auto table = describe(api, deletion.name);
    if (!table || home != nullptr) continue;
    home = &region;
    replicas = replicas_of(*table);
  }
  if (home == nullptr) throw UsageError("no region has a table named " + deletion.name);
  for (const auto& [region, said] : replicas) {
    if (region == home->name) continue;
    update_replica(*home, deletion.name, "Delete", region);
    TableApi api(deployment.region(region).table, region);
    SystemClock clock;
    std::int64_t deadline_ms = clock.monotonic_ms() + kActiveMsMax;
    while (describe(api, deletion.name)) {
      if (clock.monotonic_ms() > deadline_ms)
        throw std::runtime_error(region + " still holds " + deletion.name);
      pause_ms(kPollMs);
    }
    progress("removed the replica in " + region);
  }
  TableApi(home->table, home->name).call("DeleteTable", {{"TableName", deletion.name}});
  progress("deleted " + deletion.name + " in " + home->name);
  return kExitYes;
}

}  // namespace meridian::cli
