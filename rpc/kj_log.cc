#include "rpc/kj_log.h"

#include <kj/common.h>

namespace meridian::rpc {

void KjLog::logMessage(kj::LogSeverity severity, const char* file, int line, int /*context_depth*/,
                       kj::String&& text) {
  std::string_view message(text.begin(), text.size());
  // KJ calls a peer's broken handshake an error; for us it is a handled anomaly.
  if (severity == kj::LogSeverity::INFO || severity == kj::LogSeverity::DBG) {
    log_.debug("kj", "at={}:{} message=\"{}\"", file, line, message);
  } else {
    log_.warn("kj", "at={}:{} message=\"{}\"", file, line, message);
  }
}

std::string describe(const kj::Exception& exception) {
  auto text = exception.getDescription();
  return {text.begin(), text.size()};
}

}  // namespace meridian::rpc
