// run_daemon(): what the main() of every daemon does around its own work: settings, --help, --version
// and --check-config, the log, the end of memory, exit codes.
//
//   int main(int argc, char** argv) {
//     return run_daemon(argc, argv, {"replicator", VERSION, kHelp}, [](ConfigSource& source) {
//       auto config = read_config(source);
//       return Daemon{config.log_level, [config](const Logger& log) { serve(config, log); }};
//     });
//   }
//
// SIGHUP has the settings read again: see reload_settings().
//
// Exit codes: 0 stopped by a signal, 1 could not start, 2 wrong settings, 3 out of memory.
// Threads: main's; SIGINT, SIGTERM and SIGHUP are blocked before any other exists (signals.h).
// Errors: what `run` throws is logged as start_failed.
#pragma once

#include <functional>

#include "common/config.h"
#include "common/log.h"

namespace meridian {

struct DaemonText {
  const char* name;
  const char* version;
  const char* help;
};

struct Daemon {
  LogLevel log_level = LogLevel::info;
  // Starts the work, waits for the signal, stops the work.
  std::function<void(const Logger& log)> run;
};

// `prepare` reads the settings of its own.
int run_daemon(int argc, char** argv, const DaemonText& text,
               const std::function<Daemon(ConfigSource&)>& prepare);

// Reads the settings again, as file and environment have them now.  `prepare` reads the settings of its
// own and answers what is to be done with them; wrong ones are logged, and nothing is done.
void reload_settings(int argc, const char* const* argv, const Logger& log,
                     const std::function<std::function<void()>(ConfigSource&)>& prepare);

}  // namespace meridian
