// A folder that goes away with the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/check.h"

namespace meridian::checkpoint {

class TempDir {
 public:
  TempDir() {
    path_ = (std::filesystem::temp_directory_path() / "meridian-checkpoint-XXXXXX").string();
    MERIDIAN_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline Checkpoint at(std::uint16_t shard, std::uint64_t start, std::uint64_t sequence) {
  return {{RegionId::of("eu-west-1"), {1, ~std::uint64_t{0}}, ShardId(shard)},
          {StartId(start), Sequence(sequence)},
          77};
}

}  // namespace meridian::checkpoint
