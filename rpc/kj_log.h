// KjLog: sends what KJ wants to log to our Logger, and switches off its stack traces, which would
// start addr2line for every broken connection.
//
// Threads: one per KJ thread, on its stack, for the life of the loop.  Owns: a Logger handle.
#pragma once

#include <kj/exception.h>

#include "common/log.h"

namespace meridian::rpc {

class KjLog final : public kj::ExceptionCallback {
 public:
  explicit KjLog(Logger log) : log_(std::move(log)) {}

  void logMessage(kj::LogSeverity severity, const char* file, int line, int context_depth,
                  kj::String&& text) override;
  StackTraceMode stackTraceMode() override { return StackTraceMode::NONE; }

 private:
  Logger log_;
};

// One line, without file names, for logs and reasons.
std::string describe(const kj::Exception& exception);

}  // namespace meridian::rpc
