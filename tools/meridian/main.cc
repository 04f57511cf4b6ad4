// meridian: the operator's command line.  Reads the arguments, runs one command, and maps what went
// wrong to an exit code.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>

#include "common/http/client.h"
#include "tools/meridian/client.h"
#include "tools/meridian/clock.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/conflicts.h"
#include "tools/meridian/drain.h"
#include "tools/meridian/drill/command.h"
#include "tools/meridian/lag.h"
#include "tools/meridian/link.h"
#include "tools/meridian/manual.h"
#include "tools/meridian/quantity.h"
#include "tools/meridian/quarantine.h"
#include "tools/meridian/replica.h"
#include "tools/meridian/replicate/command.h"
#include "tools/meridian/unreachable.h"

namespace meridian::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, or yes; 1 the answer is no (regions differ, something is not ready);\n"
    "2 wrong usage; 3 a region cannot be reached; 4 a region refused the request.\n"
    "Results go to standard output, progress to standard error.  NO_COLOR turns colours off.";

constexpr const char* kTokenFileVariable = "MERIDIAN_ADMIN_TOKEN_FILE";

struct Command {
  Options options;
  VerifyOptions verify;
  CreateOptions create;
  DeleteOptions deletion;
  std::string described;
  std::string admin;
  std::string format = "table";
  std::string settle = "5s";
  std::string repair_wait = "10m";
  std::string verify_every = "10s";
  LinkCommand link;
  drill::DrillCommand drill;
  std::function<int()> run;
};

void add_reports(CLI::App& app, Command& command) {
  auto* status = app.add_subcommand("status", "Is every node and replicator up and ready?");
  status->callback(
      [&command] { command.run = [&command] { return show_status(command.options); }; });

  auto* ready = app.add_subcommand("ready", "Is the daemon at an admin address ready?");
  ready->add_option("address", command.admin, "Admin address, host:port")->required();
  ready->callback([&command] { command.run = [&command] { return show_ready(command.admin); }; });

  auto* verify_command = app.add_subcommand(
      "verify", "Do all regions hold the same rows?  Compares key, version and image of each");
  verify_command->add_option("table", command.verify.table, "Name of the table")->required();
  verify_command->add_option("--settle", command.settle,
                             "How long a differing key may take to become equal (default 5s)");
  verify_command->add_option("--list", command.verify.list_max,
                             "List at most so many differing keys (default 100)");
  verify_command->add_flag("--repair", command.verify.repair,
                           "First let every pair of regions mend what differs between them");
  verify_command->add_option("--wait", command.repair_wait,
                             "How long the repair may take (default 10m)");
  verify_command->add_flag("--watch", command.verify.watch, "Compare again and again until Ctrl-C");
  verify_command->add_option("--every", command.verify_every,
                             "Pause between two comparisons (default 10s)");
  verify_command->add_option("--rounds", command.verify.rounds_max,
                             "With --watch: end after so many comparisons");
  verify_command->callback([&command] {
    command.run = [&command] {
      command.verify.settle_ms = parse_ms("--settle", command.settle);
      command.verify.wait_ms = parse_ms("--wait", command.repair_wait);
      command.verify.every_ms = parse_ms("--every", command.verify_every);
      return verify(command.options, command.verify);
    };
  });
}

void add_table_commands(CLI::App& app, Command& command) {
  auto* table = app.add_subcommand("table", "Create, list, describe and delete tables");
  table->require_subcommand(1);

  auto* create = table->add_subcommand("create", "Create a table with replicas");
  create->add_option("name", command.create.name, "Name of the table")->required();
  create->add_option("--key", command.create.key, "Partition key, NAME:TYPE")->required();
  create->add_option("--sort", command.create.sort, "Sort key, NAME:TYPE");
  create
      ->add_option("--regions", command.create.regions,
                   "Regions of the table, the first creates it (default: all)")
      ->delimiter(',');
  create->add_option("--stream", command.create.stream, "Enable a stream with this view type")
      ->check(CLI::IsMember({"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}));
  create->add_flag("--if-missing", command.create.if_missing,
                   "Be content with a table that is there; add missing replicas");
  create->callback([&command] {
    command.run = [&command] { return create_table(command.options, command.create); };
  });

  auto* list = table->add_subcommand("list", "List all tables");
  list->callback([&command] { command.run = [&command] { return list_tables(command.options); }; });

  auto* describe = table->add_subcommand("describe", "Show a table as each region has it");
  describe->add_option("name", command.described, "Name of the table")->required();
  describe->callback([&command] {
    command.run = [&command] { return describe_table(command.options, command.described); };
  });

  auto* remove = table->add_subcommand("delete", "Delete a table and its items in every region");
  remove->add_option("name", command.deletion.name, "Name of the table")->required();
  remove->add_flag("--yes", command.deletion.yes, "Do it");
  remove->callback([&command] {
    command.run = [&command] { return delete_table(command.options, command.deletion); };
  });
}

void allow_common_options_anywhere(CLI::App& app) {
  for (auto* subcommand : app.get_subcommands({})) {
    subcommand->fallthrough();
    allow_common_options_anywhere(*subcommand);
  }
}

int run(int argc, char** argv) {
  Command command;
  CLI::App app{"Look after a Meridian deployment", "meridian"};
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", "meridian " MERIDIAN_VERSION);
  app.add_option("--deployment", command.options.deployment.file,
                 "Deployment file (default: var/deployment.yaml here or in a folder above)")
      ->envname("MERIDIAN_DEPLOYMENT");
  app.add_option("--admin-token-file", command.options.deployment.admin_token_file,
                 "File with the token of admin addresses (default: admin_token_file of the "
                 "deployment file)")
      ->envname(kTokenFileVariable);
  app.add_option("--endpoint", command.options.endpoint,
                 "One table endpoint, host:port, instead of a deployment; for `table`");
  app.add_option("-o,--output", command.format, "Output: table (default), json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  add_reports(app, command);
  add_lag_command(app, command.options, command.run);
  add_table_commands(app, command);
  add_drain_command(app, command.options, command.run);
  add_link_commands(app, command.options, command.link, command.run);
  add_quarantine_commands(app, command.options, command.run);
  add_replica_commands(app, command.options, command.run);
  add_clock_commands(app, command.options, command.run);
  drill::add_drill_commands(app, command.options, command.drill, command.run);
  replicate::add_bench_commands(app, command.options, command.run);
  add_conflict_commands(app, command.options, command.run);
  add_why_command(app, command.options, command.run);
  add_manual_commands(app, MERIDIAN_VERSION, command.run);
  allow_common_options_anywhere(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitYes : kExitUsage;
  }
  // Commands that are started from here, as those of a drill, need it too.
  if (const auto& file = command.options.deployment.admin_token_file)
    ::setenv(kTokenFileVariable, file->c_str(), 1);
  if (command.format == "json") command.options.format = Format::json;
  if (command.format == "csv") command.options.format = Format::csv;
  return command.run();
}

int run_and_explain(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const UsageError& e) {
    progress(e.what());
    return kExitUsage;
  } catch (const Unreachable& e) {
    progress(e.what());
    return kExitUnreachable;
  } catch (const http::HttpError& e) {
    progress(std::string(e.what()) + "; is the region running?  See meridian status");
    return kExitUnreachable;
  } catch (const std::exception& e) {
    progress(e.what());
    return kExitRefused;
  }
}

}  // namespace
}  // namespace meridian::cli

int main(int argc, char** argv) { return meridian::cli::run_and_explain(argc, argv); }
