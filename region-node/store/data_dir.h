// DataDir: the node's directory, made if need be and locked, so that two nodes cannot open it.
//
// Threads: made and destroyed by one.  Errors: StoreError.
#pragma once

#include <string>

namespace meridian::store {

class DataDir {
 public:
  explicit DataDir(const std::string& path);
  ~DataDir();
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

  [[nodiscard]] std::string store_file() const { return path_ + "/store.db"; }

 private:
  std::string path_;
  int lock_ = -1;
};

}  // namespace meridian::store
