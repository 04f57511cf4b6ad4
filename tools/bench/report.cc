#include "tools/bench/report.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace meridian::bench {

namespace json = boost::json;

double rounded(double value, int decimals) {
  double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double ratio(double value, double of) { return of > 0 ? rounded(value / of, 3) : 0; }

json::object latency_ms(const Histogram& histogram) {
  auto ms = [&](double quantile) {
    return static_cast<double>(histogram.quantile_us(quantile)) / 1000;
  };
  return {{"p50", ms(0.5)},
          {"p90", ms(0.9)},
          {"p99", ms(0.99)},
          {"p999", ms(0.999)},
          {"max", static_cast<double>(histogram.max_us()) / 1000},
          {"count", histogram.count()}};
}

json::object costs(const std::vector<Cost>& parts, std::uint64_t operations) {
  json::object out;
  for (const auto& part : parts) {
    double each = operations == 0 ? 0
                                  : static_cast<double>(part.cpu_us) /
                                        static_cast<double>(operations);
    out[part.process] =
        json::object{{"cpu_us_per_op", rounded(each, 2)},
                     {"rss_peak_mb", rounded(static_cast<double>(part.rss_peak_bytes) / 1e6, 1)}};
  }
  return out;
}

void Report::line(const std::string& name, double per_second, const std::string& remark) {
  lines_.push_back({name, per_second, remark});
  progress(name + ": " + (per_second > 0 ? std::to_string(std::llround(per_second)) + "/s  " : "") +
           remark);
}

void Report::print() const {
  std::size_t width = 8;
  for (const auto& line : lines_) width = std::max(width, line.name.size());
  std::printf("%-*s  %10s  %s\n", static_cast<int>(width), "MEASURED", "PER SECOND", "");
  for (const auto& line : lines_) {
    std::string rate = line.per_second > 0 ? std::to_string(std::llround(line.per_second)) : "";
    std::printf("%-*s  %10s  %s\n", static_cast<int>(width), line.name.c_str(), rate.c_str(),
                line.remark.c_str());
  }
}

void Report::write(const std::string& file) const {
  std::ofstream out(file);
  out << json::serialize(json) << "\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

void progress(const std::string& what) { std::fprintf(stderr, "bench: %s\n", what.c_str()); }

}  // namespace meridian::bench
