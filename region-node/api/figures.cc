#include "region-node/api/figures.h"

namespace meridian::api {

Figures::Figures(std::vector<std::string_view> operations)
    : operations_(std::move(operations)), latencies_(operations_.size()) {}

void Figures::record_error(std::string_view operation, std::string_view type) {
  std::lock_guard lock(mutex_);
  ++errors_[{std::string(operation), std::string(type)}];
}

void Figures::collect(MetricsPage& page) const {
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    if (latencies_[i].count() == 0) continue;
    std::string name(operations_[i]);
    page.histogram("meridian_api_request_duration_seconds",
                   "Time from a request's arrival to its answer, failed ones included",
                   latencies_[i], {{"operation", name}});
  }
  std::lock_guard lock(mutex_);
  for (const auto& [key, count] : errors_) {
    page.counter("meridian_api_errors_total", "Requests answered with an error, by its type",
                 static_cast<double>(count), {{"operation", key.first}, {"type", key.second}});
  }
}

}  // namespace meridian::api
