#include "tools/bench/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "common/clock.h"
#include "common/http/client.h"

extern char** environ;

namespace meridian::bench {
namespace {

constexpr std::int64_t kReadyMsMax = 30'000;
constexpr std::int64_t kStopMsMax = 20'000;
constexpr std::size_t kTailLines = 15;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

// Settings may also come from the environment (common/config.h); ours all come from files.
std::vector<std::string> clean_environment() {
  std::vector<std::string> out;
  for (char** at = environ; *at != nullptr; ++at)
    if (std::strncmp(*at, "MERIDIAN_", 9) != 0) out.emplace_back(*at);
  return out;
}

int open_to_append(const std::string& file) {
  int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) throw std::runtime_error("cannot write " + file);
  return fd;
}

// A child that dies with this thread.
pid_t spawn(const std::vector<std::string>& argv_in, int out, int errors) {
  // Everything that allocates lies before the fork: this process has threads.
  std::vector<std::string> words = argv_in;
  std::vector<std::string> settings = clean_environment();
  auto argv = pointers(words);
  auto environment = pointers(settings);
  pid_t parent = ::getpid();
  pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    ::execve(argv.front(), argv.data(), environment.data());
    ::_exit(127);
  }
  return pid;
}

void check_there(const std::string& program) {
  if (!std::filesystem::exists(program))
    throw std::runtime_error(program + " is missing: build it beside bench");
}

std::string last_lines(const std::string& file) {
  std::deque<std::string> lines;
  std::ifstream log(file);
  for (std::string line; std::getline(log, line);) {
    lines.push_back(std::move(line));
    if (lines.size() > kTailLines) lines.pop_front();
  }
  std::string out;
  for (const auto& line : lines) out += "  " + line + "\n";
  return out;
}

std::string proc_file(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

}  // namespace

Usage usage_of(pid_t pid) {
  Usage out;
  std::string stat;
  std::getline(std::ifstream(proc_file(pid, "stat")), stat);
  // The program's name, in brackets, may hold anything; user and system time are the 12th and 13th
  // fields after it.
  std::size_t close = stat.rfind(')');
  if (close == std::string::npos) return out;
  std::istringstream fields(stat.substr(close + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  out.cpu_us = (user + system) * 1'000'000 / ::sysconf(_SC_CLK_TCK);
  std::ifstream status(proc_file(pid, "status"));
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) out.rss_peak_bytes = std::stoull(line.substr(6)) * 1024;
  return out;
}

Usage own_usage() { return usage_of(::getpid()); }

void reset_peak(pid_t pid) { std::ofstream(proc_file(pid, "clear_refs")) << "5\n"; }

Process::Process(std::vector<std::string> argv, std::string log_file)
    : argv_(std::move(argv)), log_file_(std::move(log_file)) {}

Process::~Process() { kill(); }

void Process::start() {
  check_there(argv_.front());
  int log = open_to_append(log_file_);
  pid_ = spawn(argv_, log, log);
  ::close(log);
}

void Process::kill() {
  if (pid_ <= 0 || ended()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void Process::stop() {
  if (pid_ <= 0) return;
  SystemClock clock;
  ::kill(pid_, SIGTERM);
  std::int64_t deadline_ms = clock.monotonic_ms() + kStopMsMax;
  while (!ended()) {
    if (clock.monotonic_ms() > deadline_ms) {
      ::kill(pid_, SIGKILL);
      deadline_ms = clock.monotonic_ms() + kStopMsMax;
    }
    pause_us(1000);
  }
}

bool Process::ended() {
  if (pid_ <= 0) return true;
  if (::waitpid(pid_, nullptr, WNOHANG) == 0) return false;
  pid_ = 0;
  return true;
}

void Process::check_alive() {
  if (ended()) throw std::runtime_error(argv_.front() + " has ended:\n" + log_tail());
}

void Process::wait_ready(const std::string& address) {
  SystemClock clock;
  std::int64_t deadline_ms = clock.monotonic_ms() + kReadyMsMax;
  for (;;) {
    check_alive();
    try {
      if (http::HttpClient(address, 1000).get("/readyz").status == 200) return;
    } catch (const http::HttpError&) {
      // It does not listen yet.
    }
    if (clock.monotonic_ms() > deadline_ms)
      throw std::runtime_error(argv_.front() + " is not ready after 30 s:\n" + log_tail());
    pause_us(5000);
  }
}

std::string Process::log_tail() const { return last_lines(log_file_); }

Ended run_program(const std::vector<std::string>& argv, const std::string& folder) {
  check_there(argv.front());
  std::string out_file = folder + "/output.txt";
  std::string errors_file = folder + "/errors.txt";
  std::filesystem::remove(out_file);
  std::filesystem::remove(errors_file);
  SystemClock clock;
  std::int64_t begun_us = clock.monotonic_us();
  int out = open_to_append(out_file);
  int errors = open_to_append(errors_file);
  pid_t pid = spawn(argv, out, errors);
  ::close(out);
  ::close(errors);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  Ended ended;
  ended.seconds = static_cast<double>(clock.monotonic_us() - begun_us) / 1e6;
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::ostringstream text;
  text << std::ifstream(out_file).rdbuf();
  ended.output = text.str();
  ended.errors = last_lines(errors_file);
  return ended;
}

std::string program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

void pause_us(std::int64_t us) {
  if (us <= 0) return;
  timespec length{us / 1'000'000, us % 1'000'000 * 1000};
  ::ppoll(nullptr, 0, &length, nullptr);
}

}  // namespace meridian::bench
