#include "tools/meridian/replicate/errors.h"

#include "tools/meridian/client.h"

namespace meridian::replicate {

Failure kind_of(const std::exception& failure) {
  if (const auto* refused = dynamic_cast<const cli::ApiFailure*>(&failure))
    return {refused->status(), refused->type()};
  // "127.0.0.1:8000: timed out": the address is always the same.
  std::string said = failure.what();
  auto mark = said.find(": ");
  return {0, mark == std::string::npos ? said : said.substr(mark + 2)};
}

}  // namespace meridian::replicate
