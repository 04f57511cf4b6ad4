#include "tools/meridian/replica.h"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <vector>

#include "common/clock.h"
#include "tools/meridian/table_calls.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::int64_t kPollMs = 500;
constexpr std::int64_t kExpelMsMax = 15'000;
constexpr std::int64_t kGoneMsMax = 60'000;

struct Choice {
  std::string table;
  std::string region;
  bool wait = true;
  bool force = false;
  bool yes = false;
};

// What a region says of a table; empty when it has none, or does not answer.
std::optional<json::object> look(const Endpoints& region, const std::string& table) {
  try {
    TableApi api(region.table, region.name);
    return describe(api, table);
  } catch (const http::HttpError&) {
    return std::nullopt;
  }
}

// A region that holds the table and answers, other than `except`.
const Endpoints& home_of(const Deployment& deployment, const std::string& table,
                         const std::string& except) {
  std::string asked;
  for (const auto& region : deployment.regions) {
    if (region.name == except) continue;
    auto described = look(region, table);
    std::string status = described ? text_at(*described, "TableStatus") : "";
    if (status == "ACTIVE" || status == "UPDATING") return region;
    asked += (asked.empty() ? "" : ", ") + region.name;
  }
  throw UsageError("no region holds the table " + table + " and answers (asked: " + asked + ")");
}

// Rows of `list`: a table of one region has no list of replicas, and one replica, whole.
void list_one(const Deployment& deployment, const std::string& name, Table& table,
              json::array& rows) {
  for (const auto& region : deployment.regions) {
    auto described = look(region, name);
    if (!described) continue;
    auto replicas = replicas_of(*described);
    if (replicas.empty())
      replicas[region.name] = {{"ReplicaStatus", text_at(*described, "TableStatus")}};
    for (const auto& [replica, said] : replicas) {
      std::string status = text_at(said, "ReplicaStatus");
      std::string percent = text_at(said, "ReplicaStatusPercentProgress", "100");
      std::string text = text_at(said, "ReplicaStatusDescription");
      table.rows.push_back({name, replica, status, percent + "%", text});
      rows.push_back({{"table", name}, {"region", replica}, {"status", status},
                      {"percent", std::stoi(percent)}, {"description", text}});
    }
    return;  // they agree, or will
  }
}

int list(const Options& options, const Choice& choice) {
  Deployment deployment = load_deployment(options.deployment);
  std::vector<std::string> names{choice.table};
  if (choice.table.empty()) {
    names.clear();
    std::map<std::string, bool> known;
    for (const auto& region : deployment.regions) {
      json::object answer = TableApi(region.table, region.name).call("ListTables", {});
      for (const auto& each : answer.at("TableNames").as_array())
        known[std::string(each.as_string())] = true;
    }
    for (const auto& [name, there] : known) names.push_back(name);
  }
  Table table{{"table", "region", "status", "filled", "description"}, {}};
  json::array rows;
  for (const auto& name : names) list_one(deployment, name, table, rows);
  if (rows.empty() && !choice.table.empty())
    throw UsageError("no region has a table named " + choice.table);
  print_result(options.format, table, json::serialize(rows));
  return kExitYes;
}

// Says how far it is until the region's replica is whole.
void wait_whole(const Endpoints& home, const Choice& choice) {
  std::string shown;
  while (true) {
    auto described = look(home, choice.table);
    auto replicas = described ? replicas_of(*described) : std::map<std::string, json::object>{};
    auto at = replicas.find(choice.region);
    if (described && at == replicas.end())
      throw std::runtime_error("the replica in " + choice.region + " is gone again");
    if (at != replicas.end()) {
      bool whole = text_at(at->second, "ReplicaStatus") == "ACTIVE";
      std::string percent =
          whole ? "100" : text_at(at->second, "ReplicaStatusPercentProgress", "0");
      std::string now = percent + "%  " + text_at(at->second, "ReplicaStatusDescription", "whole");
      if (now != shown) progress(choice.region + ": " + now);
      shown = now;
      if (whole) return;
    }
    pause_ms(kPollMs);
  }
}

int add(const Options& options, const Choice& choice) {
  Deployment deployment = load_deployment(options.deployment);
  (void)deployment.region(choice.region);
  const Endpoints& home = home_of(deployment, choice.table, choice.region);
  auto described = look(home, choice.table);
  if (described && replicas_of(*described).contains(choice.region)) {
    progress(choice.table + " has a replica in " + choice.region + " already");
  } else {
    update_replica(home, choice.table, "Create", choice.region);
  }
  if (choice.wait) wait_whole(home, choice);
  return list(options, choice);
}

void remove_by_force(const Deployment& deployment, const Choice& choice) {
  const Endpoints& home = home_of(deployment, choice.table, choice.region);
  AdminClient client(home.admin, kExpelMsMax);
  Fetched answer = post(client, "/v1/tables/" + choice.table + "/replicas/" + choice.region +
                                    "/expel");
  (void)expect_object(home.name, answer);
}

void remove_in_order(const Deployment& deployment, const Choice& choice) {
  const Endpoints& home = home_of(deployment, choice.table, choice.region);
  update_replica(home, choice.table, "Delete", choice.region);
  const Endpoints& gone = deployment.region(choice.region);
  SystemClock clock;
  std::int64_t deadline_ms = clock.monotonic_ms() + kGoneMsMax;
  while (look(gone, choice.table)) {
    if (clock.monotonic_ms() > deadline_ms)
      throw std::runtime_error(gone.name + " still holds " + choice.table);
    pause_ms(kPollMs);
  }
}

int remove(const Options& options, const Choice& choice) {
  Deployment deployment = load_deployment(options.deployment);
  (void)deployment.region(choice.region);
  std::string what = "this deletes the copy of " + choice.table + " in " + choice.region +
                     ", once another region has everything that was written there";
  if (choice.force)
    what = "this takes " + choice.region + " off " + choice.table +
           " without asking it, and gives up every write that was acknowledged there and that no "
           "other region has received; if it comes back it is fenced: it serves nobody and ships "
           "nothing, and keeps its rows until the table is deleted there";
  if (!choice.yes) throw UsageError(what + "; say --yes to do it");
  if (choice.force) {
    progress(what);
    remove_by_force(deployment, choice);
  } else {
    remove_in_order(deployment, choice);
  }
  progress("removed the replica of " + choice.table + " in " + choice.region);
  return kExitYes;
}

}  // namespace

void add_replica_commands(CLI::App& app, const Options& options, std::function<int()>& run) {
  auto choice = std::make_shared<Choice>();
  auto* replica = app.add_subcommand("replica", "In which regions a table is");
  replica->require_subcommand(1);
  auto both = [choice](CLI::App* command) {
    command->add_option("table", choice->table, "Name of the table")->required();
    command->add_option("region", choice->region, "The region")->required();
  };

  auto* list_command = replica->add_subcommand("list", "Replicas, and how far new ones are filled");
  list_command->add_option("table", choice->table, "Name of the table (default: all)");
  list_command->callback(
      [choice, &options, &run] { run = [choice, &options] { return list(options, *choice); }; });

  auto* add_command = replica->add_subcommand("add", "Add a replica, and wait until it is whole");
  both(add_command);
  add_command->add_flag("!--no-wait", choice->wait, "Do not wait");
  add_command->callback(
      [choice, &options, &run] { run = [choice, &options] { return add(options, *choice); }; });

  auto* remove_command = replica->add_subcommand("remove", "Take a replica away");
  both(remove_command);
  remove_command->add_flag("--force", choice->force, "The region is dead and will not answer");
  remove_command->add_flag("--yes", choice->yes, "Do it");
  remove_command->callback(
      [choice, &options, &run] { run = [choice, &options] { return remove(options, *choice); }; });
}

}  // namespace meridian::cli
