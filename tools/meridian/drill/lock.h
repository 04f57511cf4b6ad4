// DrillLock: one drill of a deployment at a time.
// Threads: one.  Errors: Refused when another drill runs.
#pragma once

#include <string>

namespace meridian::drill {

class DrillLock {
 public:
  explicit DrillLock(const std::string& deployment_file);
  ~DrillLock();
  DrillLock(const DrillLock&) = delete;
  DrillLock& operator=(const DrillLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace meridian::drill
