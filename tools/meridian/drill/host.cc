#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tools/meridian/commands.h"
#include "tools/meridian/drill/operator.h"
#include "tools/meridian/drill/run_command.h"

namespace meridian::drill {
namespace {

namespace fs = std::filesystem;

constexpr int kEndTriesMax = 500;
constexpr std::int64_t kEndPollMs = 10;

// A list of words of a process: its `cmdline` or its `environ`.
std::vector<std::string> proc_words(pid_t pid, const char* list) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/" + list, std::ios::binary);
  std::string all((std::istreambuf_iterator<char>(in)), {});
  std::vector<std::string> words;
  for (std::size_t start = 0; start < all.size();) {
    std::size_t end = all.find('\0', start);
    words.push_back(all.substr(start, end - start));
    if (end == std::string::npos) break;
    start = end + 1;
  }
  return words;
}

std::vector<std::string> command_line(pid_t pid) { return proc_words(pid, "cmdline"); }

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// "replicator" of "replicator-2".
std::string program_of(const std::string& name) {
  return name.starts_with("replicator") ? "replicator" : name;
}

class LocalHost final : public Host {
 public:
  explicit LocalHost(fs::path folder) : folder_(std::move(folder)) {}

  void check(const std::string& region, const std::string& name) override {
    auto pid = pid_of(region, name);
    commands_[{region, name}] = {command_line(pid), proc_words(pid, "environ")};
  }

  void kill(const std::string& region, const std::string& name) override {
    check(region, name);
    pid_t pid = pid_of(region, name);
    if (::kill(pid, SIGKILL) != 0) throw OperatorError("cannot end " + file_of(region, name));
    // A dead process has no command line, even while nobody has waited for it.
    for (int tries = 0; tries < kEndTriesMax && !command_line(pid).empty(); ++tries) {
      ::waitpid(pid, nullptr, WNOHANG);  // one that an earlier start() of ours made
      cli::pause_ms(kEndPollMs);
    }
  }

  void start(const std::string& region, const std::string& name) override {
    auto known = commands_.find({region, name});
    if (known == commands_.end())
      throw OperatorError("nobody knows how " + file_of(region, name) + " was started");
    pid_t pid = spawn(known->second, (folder_ / region / (name + ".log")).string());
    std::ofstream(file_of(region, name)) << pid << "\n";
  }

  std::vector<std::string> shell(const std::string& /*region*/) override { return {"sh"}; }
  std::string data_dir(const std::string& region) override {
    return (folder_ / region / "data").string();
  }

 private:
  [[nodiscard]] std::string file_of(const std::string& region, const std::string& name) const {
    return (folder_ / region / (name + ".pid")).string();
  }

  // The running daemon's; a pid file may outlive its process, so the command line has to fit.
  [[nodiscard]] pid_t pid_of(const std::string& region, const std::string& name) const {
    std::string file = file_of(region, name);
    pid_t pid = 0;
    std::ifstream(file) >> pid;
    if (pid <= 0)
      throw OperatorError(file +
                          " names no process: a drill can only end daemons that deploy/up "
                          "started");
    auto words = command_line(pid);
    if (words.empty() || fs::path(words.front()).filename() != program_of(name))
      throw OperatorError("process " + std::to_string(pid) + " of " + file + " is not a " +
                          program_of(name) + ": is the region running?");
    return pid;
  }

  // Of a running daemon.  Settings may come from its environment, and are not to come from ours.
  struct Command {
    std::vector<std::string> words;
    std::vector<std::string> environment;
  };

  static pid_t spawn(const Command& command, const std::string& log) {
    const auto argv = pointers_to(command.words);
    const auto environment = pointers_to(command.environment);
    pid_t pid = ::fork();
    if (pid < 0) throw OperatorError("cannot start a process");
    if (pid == 0) {
      ::setsid();  // it outlives the drill, and its Ctrl-C
      int out = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
      int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      ::dup2(in, 0);
      ::dup2(out, 1);
      ::dup2(out, 2);
      for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
      sigset_t none;
      sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      ::execve(argv[0], argv.data(), environment.data());
      ::_exit(127);
    }
    return pid;
  }

  const fs::path folder_;
  std::map<std::pair<std::string, std::string>, Command> commands_;
};

class ComposeHost final : public Host {
 public:
  explicit ComposeHost(const cli::Compose& compose) : compose_(compose) {}

  void check(const std::string& region, const std::string& name) override {
    auto said = run_command(words({"ps", "-q", service(region, name)}));
    std::string id = said.output.substr(0, said.output.find('\n'));
    if (said.code != 0 || id.empty())
      throw OperatorError("docker-compose knows no running " + service(region, name) + ": " +
                          said.output);
    containers_[{region, name}] = id;
  }
  void kill(const std::string& region, const std::string& name) override {
    tell("kill", region, name);
  }
  void start(const std::string& region, const std::string& name) override {
    tell("start", region, name);
  }
  std::vector<std::string> shell(const std::string& region) override {
    return words({"exec", "-T", service(region, "region-node"), "sh"});
  }
  std::string data_dir(const std::string& /*region*/) override { return "/meridian/data"; }

 private:
  static std::string service(const std::string& region, const std::string& name) {
    return name == "region-node" ? region : region + "-" + name;
  }
  [[nodiscard]] std::vector<std::string> words(std::vector<std::string> more) const {
    std::vector<std::string> out = compose_.command;
    out.insert(out.end(), {"--project-name", compose_.project, "--file", compose_.file,
                           "--project-directory", fs::path(compose_.file).parent_path().string()});
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  // The engine itself, which is at it in milliseconds; docker-compose takes a second to start.
  void tell(const char* verb, const std::string& region, const std::string& name) {
    if (!containers_.contains({region, name})) check(region, name);
    auto said = run_command({"docker", verb, containers_.at({region, name})});
    if (said.code != 0)
      throw OperatorError("docker " + std::string(verb) + " of " + service(region, name) +
                          " failed: " + said.output);
  }

  const cli::Compose compose_;
  std::map<std::pair<std::string, std::string>, std::string> containers_;  // ids
};

}  // namespace

std::unique_ptr<Host> host_of(const cli::Deployment& deployment) {
  if (deployment.compose) return std::make_unique<ComposeHost>(*deployment.compose);
  return std::make_unique<LocalHost>(fs::absolute(deployment.path).parent_path());
}

}  // namespace meridian::drill
