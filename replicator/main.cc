// replicator: the daemon that ships one region's changes to the others.  Reads its settings, runs a
// Replicator, waits for a signal.
// Exit codes: common/daemon.h.
#include <functional>

#include "checkpoint/lease_store.h"
#include "checkpoint/open.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/http/origins.h"
#include "common/http/server.h"
#include "common/http/token_guard.h"
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
    "SIGHUP: read the settings again, and take over what is new under `peers`, and another\n"
    "admin token.\n"
    "  --check-config  print every setting with its source, and stop\n"
    "  --version       print the version\n";

using meridian::http::TokenGuard;
using meridian::replicator::Replicator;

void serve(meridian::replicator::ReplicatorConfig config, const meridian::Logger& log,
           const std::function<void(Replicator&, TokenGuard&)>& reload) {
  meridian::SystemClock clock;
  auto checkpoints = meridian::checkpoint::open_checkpoints(config.checkpoint_dir, clock, log);
  meridian::checkpoint::LeaseStore leases(config.checkpoint_dir);
  config.options.leases = &leases;
  Replicator replicator(config.options, *checkpoints, clock, meridian::Rng::from_system(), log);
  TokenGuard guard(config.admin.token);
  meridian::replicator::Admin admin(replicator, config.options.region, MERIDIAN_VERSION,
                                    [&guard](meridian::MetricsPage& page) { guard.collect(page); });
  std::vector<std::string> consoles;
  for (const auto& [region, address] : config.console_nodes) consoles.push_back(address);
  auto handler = [&admin](const meridian::http::Request& request,
                          const meridian::http::Responder& respond) {
    respond(admin.handle(request));
  };
  // Origins outside, so that a page can read that it is refused.
  meridian::http::HttpServer server(
      {{config.admin.address, meridian::http::Origins(consoles).around(guard.around(handler))}}, 1,
      {}, log);
  if (config.admin.token.empty() && !meridian::is_loopback(config.admin.address))
    log.warn("admin_without_token",
             "whoever reaches {} may break links of this region; see admin_token_file",
             config.admin.address);
  server.start();
  replicator.start();
  log.info("started", "region={} worker={} admin={}", config.options.region.name(),
           config.options.worker, config.admin.address);
  int signal = meridian::wait_for_stop_signal([&] { reload(replicator, guard); });
  log.info("stopping", "signal={}", signal);
  server.stop();
  replicator.stop();
  log.info("stopped", "");
}

}  // namespace

int main(int argc, char** argv) {
  return meridian::run_daemon(
      argc, argv, {"replicator", MERIDIAN_VERSION, kHelp},
      [argc, argv](meridian::ConfigSource& source) {
        auto config = meridian::replicator::read_config(source);
        auto run = [config, argc, argv](const meridian::Logger& log) {
          serve(config, log, [argc, argv, &log](Replicator& replicator, TokenGuard& guard) {
            meridian::reload_settings(argc, argv, log, [&](meridian::ConfigSource& again) {
              auto now = meridian::replicator::read_config(again);
              return [&replicator, &guard, now] {
                replicator.add_peers(now.options.peers);
                guard.replace(now.admin.token);
              };
            });
          });
        };
        return meridian::Daemon{config.log_level, run};
      });
}
