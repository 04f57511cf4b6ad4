#include "tools/meridian/drill/run_command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace meridian::drill {

Ran run_command(const std::vector<std::string>& words) {
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
  std::array<char, 4096> buffer{};
  for (ssize_t got; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    out.output.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return out;
}

Ran run_meridian(const std::string& deployment, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"/proc/self/exe", "--deployment", deployment};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_command(words);
}

}  // namespace meridian::drill
