// What kind of failure an exception of client.h stands for, to be counted.
//
// Threads: any.
#pragma once

#include <exception>
#include <string>

namespace meridian::replicate {

struct Failure {
  int status = 0;     // of HTTP; 0: no answer
  std::string error;  // AWS's type, or what was wrong with the connection
};
Failure kind_of(const std::exception& failure);

}  // namespace meridian::replicate
