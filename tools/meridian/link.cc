#include "tools/meridian/link.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "tools/meridian/client.h"
#include "tools/meridian/quantity.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

struct Daemon {
  const char* name;
  AdminAddress address;
};

std::vector<Daemon> daemons_of(const Endpoints& region) {
  std::vector<Daemon> out{{"node", region.admin}};
  for (const auto& worker : region.replicators) out.push_back({"replicator", worker});
  return out;
}

// The regions that a word stands for.
std::vector<const Endpoints*> regions_of(const Deployment& deployment, const std::string& word) {
  std::vector<const Endpoints*> out;
  if (word != "all") return {&deployment.region(word)};
  for (const auto& region : deployment.regions) out.push_back(&region);
  return out;
}

std::vector<std::pair<const Endpoints*, const Endpoints*>> links_of(const Deployment& deployment,
                                                                    const LinkCommand& command) {
  std::vector<std::pair<const Endpoints*, const Endpoints*>> out;
  for (const auto* from : regions_of(deployment, command.from))
    for (const auto* to : regions_of(deployment, command.to))
      if (from->name != to->name) out.emplace_back(from, to);
  if (out.empty()) throw UsageError("a link leads from one region to another");
  return out;
}

std::string query_of(const std::string& verb, const LinkCommand& command) {
  if (verb == "heal") return "heal";
  std::string out = verb + "?for_ms=" + std::to_string(parse_ms("--for", command.duration));
  if (verb == "delay")
    out += "&delay_ms=" + std::to_string(parse_ms("--by", command.delay)) +
           "&jitter_ms=" + std::to_string(parse_ms("--jitter", command.jitter));
  if (verb == "lose")
    out += "&lost_permille=" + std::to_string(parse_permille("--share", command.share));
  if (verb == "limit")
    out += "&bytes_per_second=" + std::to_string(parse_rate("--rate", command.rate));
  return out;
}

// 0 when every daemon did it, else the exit code of the worst that happened.
int change(const Options& options, const std::string& verb, const LinkCommand& command) {
  Deployment deployment = load_deployment(options.deployment);
  std::string query = query_of(verb, command);
  int worst = kExitYes;
  Table table{{"from", "to", "daemon", "answer"}, {}};
  json::array list;
  for (const auto& [from, to] : links_of(deployment, command)) {
    for (const auto& daemon : daemons_of(*from)) {
      AdminClient client(daemon.address, kFetchMsMax);
      Fetched answer = post(client, "/v1/links/" + to->name + "/" + query);
      if (!answer.body)
        worst = std::max<int>(worst, answer.status ? kExitRefused : kExitUnreachable);
      std::string said = answer.body ? "done" : answer.problem;
      table.rows.push_back({from->name, to->name, daemon.name, said});
      list.push_back(json::object{{"from", from->name},
                                  {"to", to->name},
                                  {"daemon", daemon.name},
                                  {"done", answer.body.has_value()},
                                  {"problem", answer.problem}});
    }
  }
  print_result(options.format, table, json::serialize(json::object{{"links", std::move(list)}}));
  return worst;
}

using FaultKey = std::tuple<std::string, std::string, std::string>;  // from, to, text

void add(const json::object& page, const char* daemon,
         std::map<FaultKey, LinkFault>& faults,
         std::set<std::pair<std::string, std::string>>& links) {
  for (const auto& value : page.at("links").as_array()) {
    const json::object& link = value.as_object();
    std::string from = text_at(link, "from");
    std::string to = text_at(link, "to");
    links.emplace(from, to);
    for (const auto& one : link.at("faults").as_array()) {
      const json::object& object = one.as_object();
      auto& fault = faults[{from, to, text_at(object, "text")}];
      fault.from = from;
      fault.to = to;
      fault.kind = text_at(object, "kind");
      fault.text = text_at(object, "text");
      fault.left_ms = std::max(fault.left_ms, object.at("left_ms").to_number<double>());
      fault.on.emplace_back(daemon);
    }
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

int list_links(const Options& options) {
  LinkFaults report = read_faults(load_deployment(options.deployment));
  Table table{{"from", "to", "fault", "left", "on"}, {}};
  json::array list;
  for (const auto& [from, to] : report.links) {
    json::array faults;
    for (const auto& fault : report.faults) {
      if (fault.from != from || fault.to != to) continue;
      table.rows.push_back({from, to, coloured(fault.text, Mood::uneasy),
                            readable_ms(fault.left_ms), joined(fault.on)});
      json::array on;
      for (const auto& daemon : fault.on) on.emplace_back(daemon);
      faults.push_back(json::object{{"kind", fault.kind},
                                    {"text", fault.text},
                                    {"left_ms", fault.left_ms},
                                    {"on", std::move(on)}});
    }
    if (faults.empty()) table.rows.push_back({from, to, "none", "-", "-"});
    list.push_back(json::object{{"from", from}, {"to", to}, {"faults", std::move(faults)}});
  }
  print_result(options.format, table, json::serialize(json::object{{"links", std::move(list)}}));
  for (const auto& problem : report.problems) progress(problem);
  return report.problems.empty() ? kExitYes : kExitUnreachable;
}

}  // namespace

LinkFaults read_faults(const Deployment& deployment) {
  std::vector<Page> pages;
  std::vector<std::pair<std::string, const char*>> owners;
  for (const auto& region : deployment.regions)
    for (const auto& daemon : daemons_of(region)) {
      pages.push_back({daemon.address, "/v1/links"});
      owners.emplace_back(region.name, daemon.name);
    }
  auto answers = fetch_all(pages);
  LinkFaults out;
  std::map<FaultKey, LinkFault> faults;
  std::set<std::pair<std::string, std::string>> links;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& [region, daemon] = owners[i];
    if (answers[i].body) {
      add(answers[i].body->as_object(), daemon, faults, links);
    } else {
      out.problems.push_back(region + " " + daemon + ": " + answers[i].problem);
    }
  }
  out.links.assign(links.begin(), links.end());
  for (auto& [key, fault] : faults) out.faults.push_back(std::move(fault));
  return out;
}

void add_link_commands(CLI::App& app, Options& options, LinkCommand& command,
                       std::function<int()>& run) {
  auto* link = app.add_subcommand("link", "Break, slow and heal links on purpose");
  link->require_subcommand(1);
  auto add_verb = [&](const std::string& verb, const std::string& help) {
    auto* added = link->add_subcommand(verb, help);
    added->add_option("--from", command.from, "The region that sends, or all")->required();
    added->add_option("--to", command.to, "The region that it sends to, or all")->required();
    if (verb != "heal")
      added->add_option("--for", command.duration, "How long, such as 30s; at most 24h")
          ->required();
    added->callback([&options, &command, &run, verb] {
      run = [&options, &command, verb] { return change(options, verb, command); };
    });
    return added;
  };
  add_verb("pause", "Ship nothing; connections stay up");
  auto* delay = add_verb("delay", "Let every byte take longer, each way");
  delay->add_option("--by", command.delay, "How much longer, such as 80ms")->required();
  delay->add_option("--jitter", command.jitter, "Give or take so much (default 0)");
  auto* lose = add_verb("lose", "Lose segments, each way: bytes stop until they are sent again");
  lose->add_option("--share", command.share, "Such as 1% or 0.5%")->required();
  auto* limit = add_verb("limit", "Send at most so many bytes per second, each way");
  limit->add_option("--rate", command.rate, "Such as 500kB/s or 1MB/s")->required();
  add_verb("cut", "Let no byte through and no dial succeed, as in a partition");
  add_verb("heal", "End all faults of a link now");
  auto* list = link->add_subcommand("list", "Show all links and their faults");
  list->callback([&options, &run] { run = [&options] { return list_links(options); }; });
}

}  // namespace meridian::cli
