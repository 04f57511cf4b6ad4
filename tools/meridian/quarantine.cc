#include "tools/meridian/quarantine.h"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <vector>

#include "tools/meridian/client.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::int64_t kDecisionMsMax = 30'000;

struct Choice {
  std::string table;   // empty: all
  std::string region;  // empty: all
  std::string id;
  bool all = false;
  bool yes = false;
};

// A parked record of one region, as its node describes it.
struct Parked {
  const Endpoints* region;
  std::string table;
  json::object record;

  [[nodiscard]] std::string id() const { return text_at(record, "id"); }
};

json::object body_of(const Endpoints& region, const Fetched& answer) {
  return expect_object(region.name, answer);
}

std::vector<std::string> tables_of(const Endpoints& region, AdminClient& client) {
  std::vector<std::string> out;
  json::object status = body_of(region, fetch(client, "/v1/status"));
  for (const auto& table : status.at("tables").as_array())
    out.push_back(text_at(table.as_object(), "name"));
  return out;
}

void read_table(const Endpoints& region, AdminClient& client, const std::string& table,
                std::vector<Parked>& out) {
  std::string next;
  do {
    std::string target = "/v1/tables/" + table + "/quarantine?limit=1000&after=" + next;
    json::object page = body_of(region, fetch(client, target));
    for (auto& record : page.at("records").as_array())
      out.push_back({&region, table, std::move(record.as_object())});
    next = page.at("next").is_null() ? "" : json::serialize(page.at("next"));
  } while (!next.empty());
}

std::vector<Parked> read_parked(const Deployment& deployment, const Choice& choice) {
  std::vector<Parked> out;
  if (!choice.region.empty()) (void)deployment.region(choice.region);
  for (const auto& region : deployment.regions) {
    if (!choice.region.empty() && region.name != choice.region) continue;
    AdminClient client(region.admin, kDecisionMsMax);
    auto tables = choice.table.empty() ? tables_of(region, client)
                                       : std::vector<std::string>{choice.table};
    for (const auto& table : tables) read_table(region, client, table, out);
  }
  return out;
}

// Those that are meant: one by its id, or all of a region and table.
std::vector<Parked> chosen(const Deployment& deployment, const Choice& choice) {
  if (choice.all == !choice.id.empty()) throw UsageError("name one record by its id, or say --all");
  std::vector<Parked> out;
  for (auto& parked : read_parked(deployment, choice))
    if (choice.all || parked.id() == choice.id) out.push_back(std::move(parked));
  if (out.empty() && !choice.all)
    throw std::runtime_error("no record " + choice.id + " is in quarantine in " + choice.region +
                             "; see meridian quarantine list");
  return out;
}

json::object as_json(const Parked& parked) {
  json::object out{{"region", parked.region->name}, {"table", parked.table}};
  for (const auto& [name, value] : parked.record) out[name] = value;
  return out;
}

int list(const Options& options, const Choice& choice) {
  Deployment deployment = load_deployment(options.deployment);
  Table table{{"region", "table", "id", "key", "version", "source", "reason"}, {}};
  json::array records;
  for (const auto& parked : read_parked(deployment, choice)) {
    table.rows.push_back({parked.region->name, parked.table, parked.id(),
                          json::serialize(parked.record.at("key_json")),
                          text_at(parked.record, "version"), text_at(parked.record, "source"),
                          text_at(parked.record, "reason")});
    records.push_back(as_json(parked));
  }
  if (options.format == Format::table && table.rows.empty()) {
    print("nothing is in quarantine\n");
    return kExitYes;
  }
  print_result(options.format, table, json::serialize(json::object{{"records", records}}));
  return kExitYes;
}

int show(const Options& options, const Choice& choice) {
  Deployment deployment = load_deployment(options.deployment);
  auto found = chosen(deployment, choice);
  Table table{{"field", "value"}, {}};
  json::object record = as_json(found.front());
  for (const auto& [name, value] : record)
    table.rows.push_back({std::string(name), value.is_string() ? std::string(value.as_string())
                                                               : json::serialize(value)});
  print_result(options.format, table, json::serialize(record));
  return kExitYes;
}

// Says of each record what became of it; "no" while one is still parked.
int decide(const Options& options, const Choice& choice, const std::string& action) {
  Deployment deployment = load_deployment(options.deployment);
  Table table{{"region", "table", "id", "status", "reason"}, {}};
  json::array results;
  bool settled = true;
  for (const auto& parked : chosen(deployment, choice)) {
    AdminClient client(parked.region->admin, kDecisionMsMax);
    Fetched answer = post(client, "/v1/tables/" + parked.table + "/quarantine/" + action +
                                      "?key=" + text_at(parked.record, "key") +
                                      "&version=" + text_at(parked.record, "version_hex"));
    json::object result{{"region", parked.region->name}, {"table", parked.table},
                        {"id", parked.id()}};
    if (answer.status == 404) {  // retired meanwhile
      result["status"] = "gone";
      result["reason"] = answer.problem;
    } else {
      json::object told = body_of(*parked.region, answer);
      for (const auto& [name, value] : told) result[name] = value;
    }
    std::string status = text_at(result, "status");
    settled &= status != "still_parked" && status != "held";
    table.rows.push_back({parked.region->name, parked.table, parked.id(), status,
                          text_at(result, "reason")});
    results.push_back(std::move(result));
  }
  print_result(options.format, table, json::serialize(json::object{{"results", results}}));
  return settled ? kExitYes : kExitNo;
}

// What would be given up, before it is.
int discard(const Options& options, const Choice& choice) {
  if (choice.yes) return decide(options, choice, "discard");
  Deployment deployment = load_deployment(options.deployment);
  for (const auto& parked : chosen(deployment, choice))
    progress("this gives up version " + text_at(parked.record, "version") + " of " +
             json::serialize(parked.record.at("key_json")) + " in " + parked.region->name +
             ", written in " + text_at(parked.record, "source") +
             ": the regions differ at this key until it is written again");
  throw UsageError("say --yes to do it");
}

void one_record(CLI::App& command, Choice& choice, const char* all_help) {
  command.add_option("table", choice.table, "Name of the table")->required();
  command.add_option("id", choice.id, "The record, as `list` names it");
  command.add_option("--region", choice.region, "The region that could not apply it")->required();
  if (all_help != nullptr) command.add_flag("--all", choice.all, all_help);
}

}  // namespace

void add_quarantine_commands(CLI::App& app, const Options& options, std::function<int()>& run) {
  auto choice = std::make_shared<Choice>();
  auto* quarantine = app.add_subcommand(
      "quarantine", "Records that a region could not apply: list, show, retry, discard");
  quarantine->require_subcommand(1);
  auto choose = [&options, &run](int (*action)(const Options&, const Choice&),
                                 const std::shared_ptr<Choice>& chosen_now) {
    run = [&options, action, chosen_now] { return action(options, *chosen_now); };
  };

  auto* list_command = quarantine->add_subcommand("list", "List them");
  list_command->add_option("table", choice->table, "Only of this table");
  list_command->add_option("--region", choice->region, "Only in this region");
  list_command->callback([choose, choice] { choose(list, choice); });

  auto* show_command = quarantine->add_subcommand("show", "Show all that is known of one");
  one_record(*show_command, *choice, nullptr);
  show_command->callback([choose, choice] { choose(show, choice); });

  auto* retry = quarantine->add_subcommand(
      "retry", "Apply once more; what still cannot be applied stays, with its new reason");
  one_record(*retry, *choice, "All records of the table in this region");
  retry->callback([choose, choice] {
    choose([](const Options& o, const Choice& c) { return decide(o, c, "retry"); }, choice);
  });

  auto* discard_command = quarantine->add_subcommand("discard", "Give it up in this region");
  one_record(*discard_command, *choice, "All records of the table in this region");
  discard_command->add_flag("--yes", choice->yes, "Do it");
  discard_command->callback([choose, choice] { choose(discard, choice); });
}

}  // namespace meridian::cli
