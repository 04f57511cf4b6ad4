// Durations, rates and shares as they are written on the command line.
//
// Threads: any.  Errors: UsageError naming the flag.
#pragma once

#include <cstdint>
#include <string>

namespace meridian::cli {

// "500ms", "5s", "2m", "1h"; a bare number is seconds.
std::int64_t parse_ms(const std::string& flag, const std::string& text);
// "500kB/s", "1MB/s", "64KiB/s"; a bare number is bytes per second.
std::int64_t parse_rate(const std::string& flag, const std::string& text);
// "2%", "0.5%": thousandths, of which there is a whole number.
std::int64_t parse_permille(const std::string& flag, const std::string& text);

}  // namespace meridian::cli
