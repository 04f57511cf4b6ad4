// Logger: an event name and key=value fields, one line each.  error: an operator must act (it fails a
// simulation run); warn: a handled anomaly; info: life-cycle; debug: per request.
// Never log item values or secrets.
//
// Threads: safe from any.  Owns: its sink (spdlog, only in log.cc).  No global logger: the handle is
// passed to whoever logs.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace meridian {

enum class LogLevel { debug, info, warn, error };

class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view line) = 0;
};

// To standard error through spdlog; lines below `least` are dropped.
std::shared_ptr<LogSink> make_stderr_sink(LogLevel least);
std::optional<LogLevel> parse_log_level(std::string_view name);

class Logger {
 public:
  explicit Logger(std::shared_ptr<LogSink> sink) : sink_(std::move(sink)) {}

  template <typename... Args>
  void debug(std::string_view event, fmt::format_string<Args...> fields, Args&&... args) const {
    write(LogLevel::debug, event, fmt::format(fields, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void info(std::string_view event, fmt::format_string<Args...> fields, Args&&... args) const {
    write(LogLevel::info, event, fmt::format(fields, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void warn(std::string_view event, fmt::format_string<Args...> fields, Args&&... args) const {
    write(LogLevel::warn, event, fmt::format(fields, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void error(std::string_view event, fmt::format_string<Args...> fields, Args&&... args) const {
    write(LogLevel::error, event, fmt::format(fields, std::forward<Args>(args)...));
  }

 private:
  void write(LogLevel level, std::string_view event, std::string fields) const;
  std::shared_ptr<LogSink> sink_;
};

}  // namespace meridian
