#include "common/http/message.h"

#include "common/ascii.h"

namespace meridian::http {

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (ascii::same_but_case(key, name)) return value;
  return {};
}

}  // namespace meridian::http
