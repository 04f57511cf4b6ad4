#include "tools/meridian/drill/full_disk.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tools/meridian/drill/run_command.h"

namespace meridian::drill {
namespace {

constexpr const char* kCheck = R"sh(
own=$(stat -c %d "$1") && above=$(stat -c %d "$1/..") || exit 1
size=$(df -Pm "$1" | awk 'NR == 2 { print $2 }')
[ "$own" != "$above" ] && [ "$size" -le "$2" ] && echo fit
)sh";

// It goes on filling: the daemon may free something.  $$ is the shell itself, also in the loop.
constexpr const char* kFill = R"sh(
exec 3> "$1/.drill-ballast" && rm "$1/.drill-ballast" || exit 1
cat /dev/zero >&3 2> /dev/null
while kill -0 $$ 2> /dev/null; do
  cat /dev/zero >&3 2> /dev/null
  sleep 0.2
done > /dev/null < /dev/null &
filler=$!
echo full
read -r line
kill "$filler"
)sh";

std::vector<std::string> words_of(std::vector<std::string> shell, const char* script,
                                  const std::string& folder) {
  shell.insert(shell.end(), {"-c", script, "drill", folder, std::to_string(kDiskMibMax)});
  return shell;
}

}  // namespace

void FullDisk::check(const std::vector<std::string>& shell, const std::string& folder) {
  auto said = run_command(words_of(shell, kCheck, folder));
  if (said.code == 0 && said.output.starts_with("fit")) return;
  throw OperatorError(folder + " is no file system of its own of at most " +
                      std::to_string(kDiskMibMax) +
                      " MiB: filling it would harm more than this region; see docs/DRILLS.md");
}

FullDisk::FullDisk(const std::vector<std::string>& shell, const std::string& folder) {
  auto words = words_of(shell, kFill, folder);
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
    throw OperatorError("no pipe for a shell");
  to_ = in[1];
  from_ = out[0];
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setsid();
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  if (pid_ < 0) throw OperatorError("no process for a shell");
  char first = 0;
  ssize_t got = 0;
  do {
    got = ::read(from_, &first, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) throw OperatorError(folder + " cannot be filled");
}

FullDisk::~FullDisk() {
  ::close(to_);
  char rest = 0;
  while (::read(from_, &rest, 1) > 0) {
  }
  ::close(from_);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace meridian::drill
