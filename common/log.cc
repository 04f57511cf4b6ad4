#include "common/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace meridian {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

class StderrSink final : public LogSink {
 public:
  explicit StderrSink(LogLevel least)
      : logger_("meridian", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    logger_.set_level(to_spdlog(least));
    logger_.flush_on(spdlog::level::info);
  }
  void write(LogLevel level, std::string_view line) override {
    logger_.log(to_spdlog(level), "{}", line);
  }

 private:
  spdlog::logger logger_;
};

}  // namespace

std::shared_ptr<LogSink> make_stderr_sink(LogLevel least) {
  return std::make_shared<StderrSink>(least);
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  return std::nullopt;
}

void Logger::write(LogLevel level, std::string_view event, std::string fields) const {
  std::string line(event);
  if (!fields.empty()) line.append(" ").append(fields);
  sink_->write(level, line);
}

}  // namespace meridian
