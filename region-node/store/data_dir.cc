#include "region-node/store/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "region-node/store/store_options.h"

namespace meridian::store {

DataDir::DataDir(const std::string& path) : path_(path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw StoreError("cannot make the data directory " + path + ": " + error.message());
  std::string file = path + "/lock";
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) throw StoreError("cannot open " + file + ": " + std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  int code = errno;
  ::close(lock_);
  if (code == EWOULDBLOCK)
    throw StoreError("the data directory " + path + " is in use by another region-node");
  throw StoreError("cannot lock " + file + ": " + std::strerror(code));
}

DataDir::~DataDir() { ::close(lock_); }

}  // namespace meridian::store
