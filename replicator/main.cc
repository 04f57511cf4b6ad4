// replicator: the daemon that ships one region's changes to the others.  Reads its settings, runs a
// Replicator, waits for a signal.
// Exit codes: 0 stopped by a signal, 1 could not start, 2 wrong settings.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "checkpoint/sqlite_store.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/http/server.h"
#include "common/log.h"
#include "common/rng.h"
#include "common/signals.h"
#include "replicator/admin/admin.h"
#include "replicator/config.h"
#include "replicator/supervisor.h"

namespace {

constexpr const char* kHelp =
    "usage: replicator --config FILE [--SETTING VALUE ...]\n"
    "\n"
    "Tails the change log of its own region's node and ships it to the other regions' nodes.\n"
    "Every setting may stand in the file, in the environment (MERIDIAN_CHECKPOINT_DIR) or as a\n"
    "flag (--checkpoint-dir); a flag beats the environment, the environment beats the file.\n"
    "  --check-config  print every setting with its source, and stop\n"
    "  --version       print the version\n";

void run(const meridian::replicator::ReplicatorConfig& config, const meridian::Logger& log) {
  meridian::SystemClock clock;
  meridian::checkpoint::SqliteCheckpointStore checkpoints(config.checkpoint_dir);
  meridian::replicator::Replicator replicator(config.options, checkpoints, clock,
                                              meridian::Rng::from_system(), log);
  meridian::replicator::Admin admin(replicator, MERIDIAN_VERSION);
  meridian::http::HttpServer server(
      {{config.admin_address,
        [&admin](const meridian::http::Request& request, const meridian::http::Responder& respond) {
          respond(admin.handle(request));
        }}},
      1, {}, log);
  server.start();
  replicator.start();
  log.info("started", "region={} admin={}", config.options.region.name(), config.admin_address);
  int signal = meridian::wait_for_stop_signal();
  log.info("stopping", "signal={}", signal);
  server.stop();
  replicator.stop();
  log.info("stopped", "");
}

int serve(const meridian::replicator::ReplicatorConfig& config,
          const std::vector<std::string>& settings) {
  meridian::Logger log(meridian::make_stderr_sink(config.log_level));
  for (const std::string& setting : settings) log.info("setting", "{}", setting);
  try {
    run(config, log);
    return 0;
  } catch (const std::exception& e) {
    log.error("start_failed", "reason=\"{}\"", e.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  meridian::block_stop_signals();
  try {
    meridian::ConfigSource source(argc, argv);
    if (source.given("help")) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (source.given("version")) {
      std::puts("replicator " MERIDIAN_VERSION);
      return 0;
    }
    bool check_only = source.given("check-config");
    auto config = meridian::replicator::read_config(source);
    source.finish();
    if (check_only) {
      for (const std::string& setting : source.describe()) std::puts(setting.c_str());
      return 0;
    }
    return serve(config, source.describe());
  } catch (const meridian::ConfigError& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
