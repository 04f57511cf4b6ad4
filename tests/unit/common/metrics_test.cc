#include "common/metrics.h"

#include <gtest/gtest.h>

namespace meridian {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(MetricsPage, WritesPrometheusText) {
  MetricsPage page;
  page.counter("meridian_writes_total", "Writes", 3, {{"table", "Orders"}});
  page.counter("meridian_writes_total", "Writes", 4, {{"table", "Users"}});
  page.gauge("meridian_ready", "Ready", 1);
  std::string text = page.text();
  EXPECT_TRUE(has_line(text, "# TYPE meridian_writes_total counter")) << text;
  EXPECT_TRUE(has_line(text, "meridian_writes_total{table=\"Orders\"} 3")) << text;
  EXPECT_TRUE(has_line(text, "meridian_writes_total{table=\"Users\"} 4")) << text;
  EXPECT_TRUE(has_line(text, "meridian_ready 1")) << text;
}

TEST(MetricsPage, HistogramsCountInSecondsAndEndAtInfinity) {
  Histogram values;
  values.record(500);
  values.record(2'000'000);
  MetricsPage page;
  page.histogram("meridian_lag_seconds", "Lag", values, {{"sink", "eu-west-1"}});
  std::string text = page.text();
  EXPECT_NE(text.find("meridian_lag_seconds_count{sink=\"eu-west-1\"} 2"), std::string::npos)
      << text;
  EXPECT_NE(text.find("le=\"+Inf\"} 2"), std::string::npos) << text;
  EXPECT_NE(text.find("meridian_lag_seconds_sum{sink=\"eu-west-1\"} 2.0005"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace meridian
