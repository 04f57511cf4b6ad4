// header_of: what tests look for in an answer of the server.
// Threads: any; nothing is shared.
#pragma once

#include <string>

#include "common/http/message.h"

namespace meridian::http {

// The first header of that very name, or empty.
inline std::string header_of(const Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

}  // namespace meridian::http
