#include "common/daemon.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "common/signals.h"

namespace meridian {
namespace {

constexpr int kExitOutOfMemory = 3;

// Half a message sent or half a batch built is no state to go on from, and everything that was
// acknowledged is on disk: end here, whichever thread it is, without a core file and without
// destructors, which may need memory themselves.
[[noreturn]] void out_of_memory() {
  constexpr std::string_view kText = "out of memory; what was acknowledged is on disk\n";
  static_cast<void>(!::write(STDERR_FILENO, kText.data(), kText.size()));
  ::_exit(kExitOutOfMemory);
}

int serve(const Daemon& daemon, const std::vector<std::string>& settings) {
  Logger log(make_stderr_sink(daemon.log_level));
  for (const std::string& setting : settings) log.info("setting", "{}", setting);
  try {
    daemon.run(log);
    return 0;
  } catch (const std::exception& failure) {
    log.error("start_failed", "reason=\"{}\"", failure.what());
    return 1;
  }
}

}  // namespace

int run_daemon(int argc, char** argv, const DaemonText& text,
               const std::function<Daemon(ConfigSource&)>& prepare) {
  block_stop_signals();
  std::set_new_handler(out_of_memory);
  try {
    ConfigSource source(argc, argv);
    if (source.given("help")) {
      std::fputs(text.help, stdout);
      return 0;
    }
    if (source.given("version")) {
      std::printf("%s %s\n", text.name, text.version);
      return 0;
    }
    bool check_only = source.given("check-config");
    Daemon daemon = prepare(source);
    source.finish();
    if (check_only) {
      for (const std::string& setting : source.describe()) std::puts(setting.c_str());
      return 0;
    }
    return serve(daemon, source.describe());
  } catch (const ConfigError& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}

void reload_settings(int argc, const char* const* argv, const Logger& log,
                     const std::function<std::function<void()>(ConfigSource&)>& prepare) {
  try {
    ConfigSource source(argc, argv);
    auto take_over = prepare(source);
    source.finish();
    take_over();
  } catch (const ConfigError& e) {
    std::string problems = e.what();
    std::replace(problems.begin(), problems.end(), '\n', ';');
    log.error("reload_failed", "reason=\"{}\"", problems);
  }
}

}  // namespace meridian
