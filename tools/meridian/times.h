// Moments as people write and read them.
//
// Threads: any.  Errors: UsageError naming the flag.
#pragma once

#include <cstdint>
#include <string>

namespace meridian::cli {

// "2026-11-25T03:27:14.567Z", shorter ("2026-11-25", "2026-11-25T03:27Z"), or so long ago ("10m", "2h").
std::int64_t parse_time_ms(const std::string& flag, const std::string& text, std::int64_t now_ms);
// "2026-11-25T03:27:14.567Z"
std::string time_text_us(std::int64_t wall_us);

}  // namespace meridian::cli
