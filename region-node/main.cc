// region-node: the daemon of one region.  Reads its settings, runs a Node, waits for a signal.
// Exit codes: 0 stopped by a signal, 1 could not start, 2 wrong settings.
#include <cstdio>
#include <exception>

#include "common/clock.h"
#include "common/config.h"
#include "common/log.h"
#include "common/rng.h"
#include "common/signals.h"
#include "region-node/config.h"
#include "region-node/node.h"

namespace {

constexpr const char* kHelp =
    "usage: region-node --config FILE [--SETTING VALUE ...]\n"
    "\n"
    "Serves one region of a global table: DynamoDB API, streams, admin, peer RPC.\n"
    "Every setting may stand in the file, in the environment (MERIDIAN_DATA_DIR) or as a\n"
    "flag (--data-dir); a flag beats the environment, the environment beats the file.\n"
    "  --check-config  print every setting with its source, and stop\n"
    "  --version       print the version\n";

int serve(const meridian::node::NodeConfig& config, const std::vector<std::string>& settings) {
  meridian::Logger log(meridian::make_stderr_sink(config.log_level));
  for (const std::string& setting : settings) log.info("setting", "{}", setting);
  meridian::SystemClock clock;
  meridian::node::Node node(config, clock, meridian::Rng::from_system(), log, MERIDIAN_VERSION);
  try {
    node.start();
  } catch (const std::exception& e) {
    log.error("start_failed", "reason=\"{}\"", e.what());
    return 1;
  }
  int signal = meridian::wait_for_stop_signal();
  log.info("stopping", "signal={}", signal);
  node.stop();
  log.info("stopped", "");
  return 0;
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
      std::puts("region-node " MERIDIAN_VERSION);
      return 0;
    }
    bool check_only = source.given("check-config");
    meridian::node::NodeConfig config = meridian::node::read_config(source);
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
