#include "tools/meridian/drill/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "common/clock.h"
#include "tools/meridian/drill/drill.h"
#include "tools/meridian/drill/report.h"
#include "tools/meridian/drill/serve.h"
#include "tools/meridian/quantity.h"

namespace meridian::drill {
namespace json = boost::json;

namespace {

enum Exit : int { kPassed = 0, kMissed = 1, kRefused = 3, kAborted = 4, kFailed = 5 };

DrillOptions options_of(const DrillCommand& command, const cli::Deployment& deployment) {
  DrillOptions out;
  out.scenario = command.scenario;
  if (find_scenario(out.scenario) == nullptr)
    throw cli::UsageError("there is no scenario " + out.scenario + "; see meridian drill list");
  out.region = command.region.empty() ? deployment.regions.front().name
                                      : deployment.region(command.region).name;
  out.baseline_ms = cli::parse_ms("--baseline", command.baseline);
  out.fault_ms = cli::parse_ms("--fault", command.fault);
  out.rto_ms_max = cli::parse_ms("--rto", command.rto);
  out.rpo_ms_max = cli::parse_ms("--rpo", command.rpo);
  if (command.rpo_writes >= 0) out.rpo_writes_max = command.rpo_writes;
  out.rate = command.rate;
  out.seed = command.seed;
  bool back = command.clock_by.starts_with('-');
  out.clock_by_ms = cli::parse_ms("--clock-by", back ? command.clock_by.substr(1)
                                                     : command.clock_by) * (back ? -1 : 1);
  out.health_command = command.health_command;
  out.switch_command = command.switch_command;
  for (const auto& stop : command.stops) out.stops.push_back(parse_stop(stop));
  return out;
}

int list(const cli::Options& options) {
  cli::Table table{{"scenario", "what it does"}, {}};
  json::array all;
  for (const auto& scenario : scenarios()) {
    table.rows.push_back({scenario.name, scenario.summary});
    all.push_back(json::object{{"scenario", scenario.name}, {"summary", scenario.summary}});
  }
  cli::print_result(options.format, table, json::serialize(json::object{{"scenarios", all}}));
  return cli::kExitYes;
}

int plan(const cli::Options& options, const DrillCommand& command) {
  auto deployment = cli::load_deployment(options.deployment);
  cli::print(describe_plan(deployment, options_of(command, deployment)));
  return cli::kExitYes;
}

int perform(const cli::Options& options, const DrillCommand& command) {
  auto deployment = cli::load_deployment(options.deployment);
  auto drill = options_of(command, deployment);
  if (command.dry_run) return plan(options, command);
  if (!command.yes)
    throw cli::UsageError("this breaks " + drill.region + " on purpose; see `meridian drill plan " +
                          drill.scenario + "`, then say --yes");
  try {
    drill.id = "drill-" + std::to_string(SystemClock().wall_ms());
    drill.folder = command.out.empty() ? "drills/" + drill.id : command.out;
    auto result = run_drill(deployment, drill);
    auto report = save_report(result, deployment, drill.folder);
    cli::print(options.format == cli::Format::json ? json::serialize(report) + "\n"
                                                   : verdict_text(report));
    cli::progress("the report: " + drill.folder + "/report.html");
    if (!result.aborted.empty()) {
      cli::progress("aborted and healed: " + result.aborted);
      return kAborted;
    }
    return report.at("verdict").as_string() == "PASS" ? kPassed : kMissed;
  } catch (const cli::UsageError&) {
    throw;
  } catch (const Refused& refused) {
    cli::progress(std::string("nothing was touched:\n") + refused.what());
    return kRefused;
  } catch (const std::exception& failure) {
    cli::progress(std::string("the drill failed: ") + failure.what());
    return kFailed;
  }
}

std::string figure(const json::object& report, const char* part, const char* key) {
  const auto& value = part[0] == '\0' ? report.at(key) : report.at(part).as_object().at(key);
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_double()) return fmt::format("{:.2f}", value.as_double());
  return value.is_null() ? "-" : json::serialize(value);
}

int compare(const cli::Options& options, const DrillCommand& command) {
  auto first = load_report(command.report);
  auto second = load_report(command.other_report);
  cli::Table table{{"figure", "first", "second"}, {}};
  json::object all;
  struct Row {
    const char* name;
    const char* part;
    const char* key;
  };
  for (const Row& row :
       {Row{"id", "", "id"}, Row{"scenario", "", "scenario"}, Row{"region", "", "region"},
        Row{"verdict", "", "verdict"}, Row{"rto_s", "rto", "total_s"},
        Row{"detect_s", "rto", "detect_s"}, Row{"switch_s", "rto", "switch_s"},
        Row{"rpo_writes", "rpo", "writes"}, Row{"rpo_s", "rpo", "seconds"},
        Row{"longest_outage_s", "", "longest_outage_s"},
        Row{"stale_reads", "reads", "stale"}, Row{"failback_s", "failback", "switch_s"},
        Row{"failed_attempts", "writes", "failed_attempts"},
        Row{"catch_up_s", "catch_up", "seconds"}, Row{"lost", "writes", "lost"}}) {
    auto a = figure(first, row.part, row.key);
    auto b = figure(second, row.part, row.key);
    table.rows.push_back({row.name, a, b});
    all[row.name] = json::array{a, b};
  }
  cli::print_result(options.format, table, json::serialize(all));
  return cli::kExitYes;
}

void add_settings(CLI::App& app, DrillCommand& command) {
  std::vector<std::string> names;
  for (const auto& scenario : scenarios()) names.push_back(scenario.name);
  app.add_option("scenario", command.scenario, "One of `meridian drill list`")
      ->required()
      ->check(CLI::IsMember(names));
  app.add_option("--region", command.region, "The region to break (default: the first)");
  app.add_option("--baseline", command.baseline, "How long before the fault (default 5s)");
  app.add_option("--fault", command.fault, "How long the fault lasts (default 15s)");
  app.add_option("--rto", command.rto, "Objective: longest time without service (default 30s)");
  app.add_option("--rpo", command.rpo,
                 "Objective: age of the oldest write not yet elsewhere (default 5s)");
  app.add_option("--rpo-writes", command.rpo_writes, "Objective: at most so many such writes");
  app.add_option("--rate", command.rate, "Writes per second (default 200)")
      ->check(CLI::Range(1.0, 100'000.0));
  app.add_option("--seed", command.seed, "Of the choice of keys (default 1)");
  app.add_option("--clock-by", command.clock_by,
                 "How far the clock of `clock-step` jumps, back with a minus (default 10m)");
  app.add_option("--abort-if", command.stops,
                 "Stop condition, such as error_ratio>0.5, outage>60s, pending>100000 or lag>60s; "
                 "may be given several times");
  app.add_option("--health-check", command.health_command,
                 "Run as COMMAND REGION, twice a second; clients leave after three failures in a "
                 "row (default: /v1/status and the age of what waits)");
  app.add_option("--switch-command", command.switch_command,
                 "Run as COMMAND FROM TO when clients are to leave, such as a change of DNS");
}

}  // namespace

void add_drill_commands(CLI::App& app, cli::Options& options, DrillCommand& command,
                        std::function<int()>& run) {
  auto* drill = app.add_subcommand("drill", "Break a region on purpose and measure RTO and RPO");
  drill->require_subcommand(1);
  auto* listed = drill->add_subcommand("list", "List the scenarios");
  listed->callback([&options, &run] { run = [&options] { return list(options); }; });
  auto* planned = drill->add_subcommand("plan", "Show what `run` would do");
  add_settings(*planned, command);
  planned->callback([&options, &command, &run] {
    run = [&options, &command] { return plan(options, command); };
  });
  auto* ran = drill->add_subcommand("run", "Do it: break, measure, heal, verify, report");
  add_settings(*ran, command);
  ran->add_option("--out", command.out, "Folder of the report (default drills/ID)");
  ran->add_flag("--yes", command.yes, "Do it");
  ran->add_flag("--dry-run", command.dry_run, "Show the plan instead");
  ran->callback([&options, &command, &run] {
    run = [&options, &command] { return perform(options, command); };
  });
  auto* shown = drill->add_subcommand("report", "Show the verdict of a saved report again");
  shown->add_option("folder", command.report, "Folder of the report")->required();
  shown->callback([&options, &command, &run] {
    run = [&options, &command] {
      auto report = load_report(command.report);
      cli::print(options.format == cli::Format::json ? json::serialize(report) + "\n"
                                                     : verdict_text(report));
      return report.at("verdict").as_string() == "PASS" ? kPassed : kMissed;
    };
  });
  auto serving = std::make_shared<ServeOptions>();
  auto* served = drill->add_subcommand("serve", "Drills over HTTP, for the console");
  served->add_option("--listen", serving->listen, "Address (default 127.0.0.1:8070)");
  served->add_option("--out", serving->folder, "Folder of the reports (default drills)");
  served->add_option("--page", serving->origins,
                     "Address of a console that may call, besides the regions' own; repeatable");
  served->add_flag("--beyond-loopback", serving->beyond_loopback,
                   "Listen where others can reach it, who can then break regions");
  served->callback([&options, &run, serving] {
    run = [&options, serving] {
      return serve_drills(cli::load_deployment(options.deployment), *serving);
    };
  });
  auto* compared = drill->add_subcommand("compare", "Show two reports beside each other");
  compared->add_option("first", command.report, "Folder of a report")->required();
  compared->add_option("second", command.other_report, "Folder of another")->required();
  compared->callback([&options, &command, &run] {
    run = [&options, &command] { return compare(options, command); };
  });
}

}  // namespace meridian::drill
