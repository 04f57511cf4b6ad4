// run_command(): another program's exit code and what it printed.
// Hook: a program of the user's, run beside the drill, which ends it when it is no longer wanted.
//
// Threads: any; a Hook belongs to one.  Errors: std::runtime_error when it cannot be started.
#pragma once

#include <future>
#include <stop_token>
#include <string>
#include <vector>

namespace meridian::drill {

struct Ran {
  int code = 0;
  std::string output;  // standard output; standard error goes where ours goes
};
inline constexpr int kKilled = 128;  // the code of what was ended by a signal, ours among them
// `words`: the program, found on the PATH, and its arguments.  It is killed, with what it has started, as
// soon as `stop` is asked.
Ran run_command(const std::vector<std::string>& words, std::stop_token stop = {});
// This program again, with other arguments.
Ran run_meridian(const std::string& deployment, const std::vector<std::string>& arguments);

class Hook {
 public:
  Hook() = default;
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  ~Hook() { stop_.request_stop(); }

  // REQUIRES: not running().
  void start(std::vector<std::string> words);
  [[nodiscard]] bool running() const { return ran_.valid(); }
  [[nodiscard]] bool done() const;
  // Kills it; it is done a moment later.
  void stop() { stop_.request_stop(); }
  // REQUIRES: done().
  Ran take() { return ran_.get(); }

 private:
  std::stop_source stop_;
  std::future<Ran> ran_;
};

}  // namespace meridian::drill
