// Figures: what the API counts, per operation.
// Threads: record() from any; collect() sees a recent state.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/histogram.h"
#include "common/metrics.h"

namespace meridian::api {

class Figures {
 public:
  explicit Figures(std::vector<std::string_view> operations);

  void record(std::size_t operation, std::int64_t latency_us) {
    latencies_[operation].record(latency_us);
  }
  // `operation`: a name of the constructor's, or "unknown".  `type`: an error's short type.
  void record_error(std::string_view operation, std::string_view type);
  void collect(MetricsPage& page) const;

 private:
  const std::vector<std::string_view> operations_;
  std::deque<Histogram> latencies_;  // by operation; its count is that of the requests
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> errors_;  // guarded by mutex_
};

}  // namespace meridian::api
