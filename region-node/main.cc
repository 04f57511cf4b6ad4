// region-node: the daemon of one region.  Reads its settings, runs a Node, waits for a signal.
// Exit codes: common/daemon.h.
#include <functional>

#include "common/clock.h"
#include "common/daemon.h"
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
    "SIGHUP: read the settings again, and take over what is new under `peers`, and another\n"
    "admin token.\n"
    "  --check-config  print every setting with its source, and stop\n"
    "  --version       print the version\n";

void serve(const meridian::node::NodeConfig& config, const meridian::Logger& log,
           const std::function<void(meridian::node::Node&)>& reload) {
  meridian::SystemClock clock;
  meridian::node::Node node(config, clock, meridian::Rng::from_system(), log, MERIDIAN_VERSION);
  node.start();
  int signal = meridian::wait_for_stop_signal([&] { reload(node); });
  log.info("stopping", "signal={}", signal);
  node.stop();
  log.info("stopped", "");
}

}  // namespace

int main(int argc, char** argv) {
  return meridian::run_daemon(
      argc, argv, {"region-node", MERIDIAN_VERSION, kHelp},
      [argc, argv](meridian::ConfigSource& source) {
        auto config = meridian::node::read_config(source);
        auto run = [config, argc, argv](const meridian::Logger& log) {
          serve(config, log, [argc, argv, &log](meridian::node::Node& node) {
            meridian::reload_settings(argc, argv, log, [&node](meridian::ConfigSource& again) {
              return [&node, now = meridian::node::read_config(again)] { node.reload(now); };
            });
          });
        };
        return meridian::Daemon{config.log_level, run};
      });
}
