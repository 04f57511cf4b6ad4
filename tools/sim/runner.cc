#include "tools/sim/runner.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <sstream>
#include <system_error>

#include "tests/sim/run.h"

namespace meridian::sim {
namespace {

// What a child tells its parent, one line each: "begin SEED", "finding TEXT" any number of times,
// "end HASH REGIONS WRITES ACKNOWLEDGED LOST RESTORED".
struct Child {
  pid_t pid = 0;
  int from = -1;
  std::size_t lane = 0;
  std::string text;  // read and not yet taken
  std::optional<SeedVerdict> current;
};

void say(int to, const std::string& line) {
  std::string text = line + "\n";
  for (std::size_t done = 0; done < text.size();) {
    ssize_t wrote = write(to, text.data() + done, text.size() - done);
    if (wrote < 0) _exit(3);
    done += static_cast<std::size_t>(wrote);
  }
}

// A seed never waits for anything, so one that takes longer does not end, however busy the machine is.
void limit_processor_time() {
  itimerval limit{.it_interval = {}, .it_value = {.tv_sec = kSeedSecondsMax, .tv_usec = 0}};
  if (setitimer(ITIMER_PROF, &limit, nullptr) != 0) _exit(3);
}

[[noreturn]] void run_child(const Seeds& seeds, std::uint64_t first, int to) {
  for (std::uint64_t seed = first; seed <= seeds.last; seed += seeds.jobs) {
    say(to, fmt::format("begin {}", seed));
    limit_processor_time();
    SeedReport report = run_seed(seed, seeds.regions, nullptr);
    if (seeds.twice && run_seed(seed, seeds.regions, nullptr).trace_hash != report.trace_hash)
      say(to, "finding determinism  the same seed gave another trace");
    for (const auto& finding : report.findings.kept())
      say(to, fmt::format("finding {}  {}", finding.property, finding.detail));
    if (report.findings.count() > report.findings.kept().size())
      say(to, fmt::format("finding ...  {} in all", report.findings.count()));
    say(to, fmt::format("end {} {} {} {} {} {}", report.trace_hash, report.regions, report.writes,
                        report.acknowledged, report.stores_lost, report.stores_restored));
  }
  _exit(0);
}

Child spawn(const Seeds& seeds, std::size_t lane, std::uint64_t first) {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) {
    close(ends[0]);
    run_child(seeds, first, ends[1]);
  }
  close(ends[1]);
  Child child;
  child.pid = pid;
  child.from = ends[0];
  child.lane = lane;
  return child;
}

void take_line(Child& child, const std::string& line,
               const std::function<void(const SeedVerdict&)>& told) {
  std::istringstream in(line);
  std::string word;
  in >> word;
  if (word == "begin") {
    child.current.emplace();
    in >> child.current->seed;
  } else if (word == "finding") {
    child.current->findings.push_back(line.substr(8));
  } else if (word == "end") {
    SeedVerdict& verdict = *child.current;
    in >> verdict.trace_hash >> verdict.regions >> verdict.writes >> verdict.acknowledged >>
        verdict.stores_lost >> verdict.stores_restored;
    verdict.passed = verdict.findings.empty();
    told(verdict);
    child.current.reset();
  }
}

// False at the end of what the child says.
bool read_some(Child& child, const std::function<void(const SeedVerdict&)>& told) {
  char buffer[4096];
  ssize_t got = read(child.from, buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return true;
  if (got < 0) throw std::system_error(errno, std::generic_category(), "read");
  if (got == 0) return false;
  child.text.append(buffer, static_cast<std::size_t>(got));
  for (auto end = child.text.find('\n'); end != std::string::npos; end = child.text.find('\n')) {
    take_line(child, child.text.substr(0, end), told);
    child.text.erase(0, end + 1);
  }
  return true;
}

std::string how_it_died(int status) {
  if (!WIFSIGNALED(status))
    return fmt::format("abort  the process ended with {}", WEXITSTATUS(status));
  if (WTERMSIG(status) == SIGPROF) return "time  the seed did not end";
  return fmt::format("abort  the process died of signal {}; see above", WTERMSIG(status));
}

void end_all(std::vector<Child>& children) {
  for (auto& child : children) {
    kill(child.pid, SIGKILL);
    close(child.from);
    waitpid(child.pid, nullptr, 0);
  }
}

}  // namespace

void run_seeds(const Seeds& seeds, const std::function<void(const SeedVerdict&)>& told_all) {
  std::vector<Child> children;
  bool failed = false;
  auto told = [&](const SeedVerdict& verdict) {
    told_all(verdict);
    failed = failed || !verdict.passed;
  };
  for (std::size_t lane = 0; lane < seeds.jobs && seeds.first + lane <= seeds.last; ++lane)
    children.push_back(spawn(seeds, lane, seeds.first + lane));
  while (!children.empty()) {
    if (failed && seeds.stop_at_failure) return end_all(children);
    std::vector<pollfd> polls;
    for (const auto& child : children) polls.push_back({child.from, POLLIN, 0});
    if (poll(polls.data(), polls.size(), -1) < 0 && errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "poll");
    for (std::size_t i = children.size(); i-- > 0;) {
      if (polls[i].revents == 0 || read_some(children[i], told)) continue;
      Child gone = std::move(children[i]);
      children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
      close(gone.from);
      int status = 0;
      waitpid(gone.pid, &status, 0);
      if (!gone.current) continue;
      // It died in the middle of a seed: that one failed, the rest of its lane goes on.
      gone.current->findings.push_back(how_it_died(status));
      told(*gone.current);
      std::uint64_t next = gone.current->seed + seeds.jobs;
      if (next <= seeds.last && !(failed && seeds.stop_at_failure))
        children.push_back(spawn(seeds, gone.lane, next));
    }
  }
}

}  // namespace meridian::sim
