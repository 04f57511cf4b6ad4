// Guard: a process that outlives the drill.  If the drill ends without having undone what it did,
// killed say, the guard starts the daemons that are then still down.  (Link faults, clock shifts and
// full disks end by themselves.)
//
// Threads: made while the process has one thread; told from one.  Errors: std::runtime_error when no
// process can be made.
#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <string>

namespace meridian::drill {

class Guard {
 public:
  // `start` is called in the guard's process, for each name that is down when the drill is gone.
  explicit Guard(std::function<void(const std::string&)> start);
  ~Guard();  // dismisses it: whoever destroys it has undone everything
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  void down(const std::string& name) { tell('-', name); }
  void up(const std::string& name) { tell('+', name); }

 private:
  void tell(char sign, const std::string& name);

  int pipe_ = -1;
  pid_t pid_ = 0;
};

// What is down after such lines ("-name", "+name"); "." at the end means that all is well.
std::set<std::string> still_down(const std::string& told);

}  // namespace meridian::drill
