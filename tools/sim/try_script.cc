#include "tools/sim/try_script.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sstream>
#include <system_error>

#include "tests/sim/run.h"
#include "tests/sim/shrink.h"

namespace meridian::sim {
namespace {

// Much longer than any run that ends.
constexpr unsigned kTrySecondsMax = 20;

[[noreturn]] void run_child(const Script& script, unsigned seconds_max, int to) {
  // What an abort prints was printed by the first one.
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  alarm(seconds_max);
  std::string names;
  SeedReport report = run_script(script, nullptr);
  for (const auto& finding : report.findings.kept())
    names += finding.property + "\n";
  bool said = write(to, names.data(), names.size()) == static_cast<ssize_t>(names.size());
  _exit(said ? 0 : 3);
}

}  // namespace

std::set<std::string> broken_by(const Script& script, unsigned seconds_max) {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) run_child(script, seconds_max, ends[1]);
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got = 1; got != 0;) {
    got = read(ends[0], buffer, sizeof buffer);
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    if (got < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "read");
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) return {WTERMSIG(status) == SIGALRM ? "time" : "abort"};
  std::set<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) names.insert(line);
  return names;
}

Script shrink_script(const Script& script) {
  auto wanted = broken_by(script, kTrySecondsMax);
  auto same = [&wanted](const Script& candidate) {
    auto broken = broken_by(candidate, kTrySecondsMax);
    return std::any_of(broken.begin(), broken.end(),
                       [&wanted](const std::string& name) { return wanted.contains(name); });
  };
  if (wanted.empty()) return script;
  std::string names;
  for (const auto& name : wanted) names += " " + name;
  fmt::print("breaks{}: shrinking {} events\n", names, script.events.size());
  Shrunk shrunk = shrink(script, same);
  fmt::print("{} events are left after {} tries\n", shrunk.script.events.size(), shrunk.tries);
  return std::move(shrunk.script);
}

}  // namespace meridian::sim
