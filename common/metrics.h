// MetricsPage: collects one scrape and writes it in Prometheus text format (prometheus-cpp does the
// text).  Components keep plain counters; the composition root reads them into a page per scrape, so
// there is no global registry and nothing to unregister.
//
// Threads: a page belongs to one scrape.
// Names: Prometheus conventions: meridian_ prefix, base units, _total for counters; labels bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/histogram.h"

namespace meridian {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class MetricsPage {
 public:
  MetricsPage();
  ~MetricsPage();
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  void counter(const std::string& name, const std::string& help, double value,
               const MetricLabels& labels = {});
  void gauge(const std::string& name, const std::string& help, double value,
             const MetricLabels& labels = {});
  // Seconds, with the fixed bounds of kBoundsUs.
  void histogram(const std::string& name, const std::string& help, const Histogram& values,
                 const MetricLabels& labels = {});

  [[nodiscard]] std::string text() const;
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meridian
