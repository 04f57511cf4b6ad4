// Report: what a run has measured, as a table for people and as JSON for programs.
// Threads: main.
// Errors: std::runtime_error when the file cannot be written.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "common/histogram.h"

namespace meridian::bench {

// What the parts of a measurement cost: from /proc, over its whole length.
struct Cost {
  std::string process;
  std::int64_t cpu_us = 0;
  std::uint64_t rss_peak_bytes = 0;
};

// Rounded to what a reader can use.
double rounded(double value, int decimals);
double median(std::vector<double> values);
double ratio(double value, double of);
// {"p50":...,"p90":...,"p99":...,"p999":...,"max":...} in milliseconds.
boost::json::object latency_ms(const Histogram& histogram);
// {"node":{"cpu_us_per_op":...,"rss_peak_mb":...},...}
boost::json::object costs(const std::vector<Cost>& parts, std::uint64_t operations);

class Report {
 public:
  // A line of the table; `per_second` 0 when it has no rate.
  void line(const std::string& name, double per_second, const std::string& remark);
  void print() const;
  void write(const std::string& file) const;

  boost::json::object json;

 private:
  struct Line {
    std::string name;
    double per_second;
    std::string remark;
  };
  std::vector<Line> lines_;
};

// To standard error, so that a long run shows where it is.
void progress(const std::string& what);

}  // namespace meridian::bench
