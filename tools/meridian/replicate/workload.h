// Workload: what the n-th write of a load is.  Pure: the same options and number, the same write.
//
// Threads: any, once made.  Errors: UsageError for a mix that is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meridian::replicate {

enum class Kind { put, update, remove };
inline constexpr Kind kKinds[] = {Kind::put, Kind::update, Kind::remove};
const char* name_of(Kind kind);

// In percent, 100 in all.
struct Mix {
  unsigned put = 100;
  unsigned update = 0;
  unsigned remove = 0;
};
// "put=70,update=20,delete=10"; what is not named is 0.
Mix parse_mix(const std::string& flag, const std::string& text);

enum class Distribution {
  uniform,
  zipf,        // the n-th most popular key is drawn 1/n^0.99 as often as the first (YCSB's skew)
  sequential,  // one after the other, and from the first again
};

inline constexpr std::uint64_t kKeysMax = 1'000'000;

struct WorkloadOptions {
  Mix mix;
  Distribution distribution = Distribution::uniform;
  std::uint64_t keys = 10'000;  // 1 to kKeysMax
  std::uint64_t seed = 1;
};

class Workload {
 public:
  struct Write {
    Kind kind = Kind::put;
    std::uint64_t key = 0;  // below the options' keys
  };

  explicit Workload(const WorkloadOptions& options);
  [[nodiscard]] Write at(std::uint64_t number) const;

 private:
  const WorkloadOptions options_;
  std::vector<double> up_to_;  // zipf: the share of the keys up to each; else empty
};

}  // namespace meridian::replicate
