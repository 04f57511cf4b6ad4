// Unreachable: a region that the command cannot do without did not answer; exit code 3.
#pragma once

#include <stdexcept>
#include <string>

namespace meridian::cli {

class Unreachable : public std::runtime_error {
 public:
  Unreachable(const std::string& region, const std::string& problem)
      : std::runtime_error(region + " cannot be reached: " + problem +
                           "; is it running?  deploy/up --only " + region + " starts it") {}
};

}  // namespace meridian::cli
