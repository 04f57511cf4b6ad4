#include "tools/meridian/drill/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>

namespace meridian::drill {

namespace {

constexpr int kStopLookMs = 50;  // how often it is asked whether to stop

// What it prints until it closes its end, or is to stop.
std::string read_all(int from, const std::stop_token& stop) {
  std::string out;
  std::array<char, 4096> buffer{};
  while (!stop.stop_requested()) {
    pollfd ready{from, POLLIN, 0};
    if (::poll(&ready, 1, kStopLookMs) <= 0) continue;
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return out;
}

int exit_code(pid_t pid, const std::stop_token& stop) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : kKilled;
    if (ended < 0 && errno != EINTR) return kKilled;
    if (stop.stop_requested()) ::kill(-pid, SIGKILL);  // again: at first it has no session yet
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace

Ran run_command(const std::vector<std::string>& words, std::stop_token stop) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe for " + words.front());
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("cannot start " + words.front());
  if (pid == 0) {
    ::setsid();  // Ctrl-C is for the drill, which undoes what it did first
    ::dup2(ends[1], 1);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  Ran out;
  out.output = read_all(ends[0], stop);
  ::close(ends[0]);
  out.code = exit_code(pid, stop);
  return out;
}

Ran run_meridian(const std::string& deployment, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"/proc/self/exe", "--deployment", deployment};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_command(words);
}

void Hook::start(std::vector<std::string> words) {
  stop_ = std::stop_source();
  ran_ = std::async(std::launch::async, [words = std::move(words), stop = stop_.get_token()] {
    return run_command(words, stop);
  });
}

bool Hook::done() const {
  return running() && ran_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace meridian::drill
