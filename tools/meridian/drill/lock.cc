#include "tools/meridian/drill/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "tools/meridian/drill/drill.h"

namespace meridian::drill {

DrillLock::DrillLock(const std::string& deployment_file) {
  auto path = std::filesystem::absolute(deployment_file).parent_path() / "drill.lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  // In a folder that cannot be written nobody can be kept out.
  if (file_ < 0) return;
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(file_);
  throw Refused("another drill of this deployment is running, or is being undone (" +
                path.string() + ")");
}

DrillLock::~DrillLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace meridian::drill
