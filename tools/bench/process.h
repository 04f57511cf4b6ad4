// Process: a program of ours, started with a log file of its own, and what the kernel counts of it.
//
// Threads: one owner.  A child dies with the thread that started it, so start from main.
// Owns: the child; the destructor kills it.
// Errors: std::runtime_error with the last lines of its log, when it ends or does not get ready.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace meridian::bench {

struct Usage {
  std::int64_t cpu_us = 0;          // user and system, all threads
  std::uint64_t rss_peak_bytes = 0;
};
// Of the process with this id; zeros when it is gone.
Usage usage_of(pid_t pid);
Usage own_usage();
// The peak begins anew, where the kernel allows it.
void reset_peak(pid_t pid);

class Process {
 public:
  // `argv`: the program's path first.
  Process(std::vector<std::string> argv, std::string log_file);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void start();
  // Asks it to end and waits; kills it after 20 s.  Idempotent.
  void stop();
  // kill -9, and waits.  Idempotent.
  void kill();
  // Until GET /readyz at `address` answers 200.
  void wait_ready(const std::string& address);
  // Throws when it has ended by itself.
  void check_alive();

  [[nodiscard]] Usage usage() const { return usage_of(pid_); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string log_tail() const;

 private:
  bool ended();

  const std::vector<std::string> argv_;
  const std::string log_file_;
  pid_t pid_ = 0;
};

// What a program that has ended said on standard output, and its exit code.
struct Ended {
  int code = 0;
  std::string output;
  std::string errors;  // the last lines
  double seconds = 0;
};
// Runs a program to its end; its output lies in `folder` meanwhile.
Ended run_program(const std::vector<std::string>& argv, const std::string& folder);

// Folder of this program, where the other ones are.
std::string program_folder();
// Waits without turning.
void pause_us(std::int64_t us);

}  // namespace meridian::bench
