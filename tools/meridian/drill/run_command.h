// run_command(): another program's exit code and what it printed.
// Threads: any.  Errors: std::runtime_error when it cannot be started.
#pragma once

#include <string>
#include <vector>

namespace meridian::drill {

struct Ran {
  int code = 0;
  std::string output;  // standard output; standard error goes where ours goes
};
// `words`: the program, found on the PATH, and its arguments.
Ran run_command(const std::vector<std::string>& words);
// This program again, with other arguments.
Ran run_meridian(const std::string& deployment, const std::vector<std::string>& arguments);

}  // namespace meridian::drill
