#include "common/log.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace meridian {
namespace {

class Lines final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override { lines.emplace_back(level, line); }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

TEST(Logger, WritesEventAndFieldsOnOneLine) {
  auto sink = std::make_shared<Lines>();
  Logger log(sink);
  log.info("region_ready", "region={} tables={}", "us-east-1", 3);
  log.error("commit_failed", "");
  ASSERT_EQ(sink->lines.size(), 2u);
  EXPECT_EQ(sink->lines[0].first, LogLevel::info);
  EXPECT_EQ(sink->lines[0].second, "region_ready region=us-east-1 tables=3");
  EXPECT_EQ(sink->lines[1].first, LogLevel::error);
  EXPECT_EQ(sink->lines[1].second.substr(0, 13), "commit_failed");
}

TEST(Logger, KnowsItsLevelsByName) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
  EXPECT_EQ(parse_log_level("info"), LogLevel::info);
  EXPECT_EQ(parse_log_level("warn"), LogLevel::warn);
  EXPECT_EQ(parse_log_level("error"), LogLevel::error);
  EXPECT_FALSE(parse_log_level("loud"));
}

}  // namespace
}  // namespace meridian
