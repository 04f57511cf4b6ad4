// FullDisk: a region's disk without a free byte, by a file that has no name and that a shell holds
// open where the data lies.  The shell ends when this process does, whatever way, and with it the file.
//
// Threads: one.  Errors: OperatorError; the file system must be one of its own, kDiskMibMax at most, so
// that nothing else of the machine suffers and filling takes moments.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tools/meridian/drill/operator.h"

namespace meridian::drill {

inline constexpr int kDiskMibMax = 2'048;

class FullDisk {
 public:
  static void check(const std::vector<std::string>& shell, const std::string& folder);
  // Returns once it is full.
  FullDisk(const std::vector<std::string>& shell, const std::string& folder);
  ~FullDisk();
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  pid_t pid_ = 0;
  int to_ = -1;    // the shell's standard input
  int from_ = -1;  // and output
};

}  // namespace meridian::drill
