#include "tools/meridian/drill/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <sstream>
#include <stdexcept>

namespace meridian::drill {
namespace {

std::string read_all(int file) {
  std::string out;
  std::array<char, 512> buffer{};
  for (;;) {
    ssize_t got = ::read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

[[noreturn]] void keep_guard(int file, const std::function<void(const std::string&)>& start) {
  ::setsid();  // Ctrl-C is for the drill
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  int failures = 0;
  for (const auto& name : still_down(read_all(file))) {
    try {
      start(name);
    } catch (const std::exception&) {
      ++failures;  // nobody listens any more
    }
  }
  ::_exit(failures == 0 ? 0 : 1);
}

}  // namespace

Guard::Guard(std::function<void(const std::string&)> start) {
  ::signal(SIGPIPE, SIG_IGN);  // should the guard be gone, the drill goes on
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for the guard");
  pid_ = ::fork();
  if (pid_ < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw std::runtime_error("no process for the guard");
  }
  if (pid_ == 0) {
    ::close(ends[1]);
    keep_guard(ends[0], start);
  }
  ::close(ends[0]);
  pipe_ = ends[1];
}

Guard::~Guard() {
  tell('.', "");
  ::close(pipe_);
  ::waitpid(pid_, nullptr, 0);
}

void Guard::tell(char sign, const std::string& name) {
  std::string line = sign + name + "\n";
  // Shorter than a pipe takes at once; without a guard the drill goes on.
  (void)!::write(pipe_, line.data(), line.size());
}

std::set<std::string> still_down(const std::string& told) {
  std::set<std::string> down;
  std::istringstream lines(told);
  for (std::string line; std::getline(lines, line);) {
    if (line == ".") return {};
    if (line.starts_with('-')) down.insert(line.substr(1));
    if (line.starts_with('+')) down.erase(line.substr(1));
  }
  return down;
}

}  // namespace meridian::drill
