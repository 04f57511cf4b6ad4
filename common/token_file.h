// The admin token: a secret of the daemons and of those who operate them, read from a file.
//
// A file, because flags and environment variables are seen by others of the same machine.  One line of
// 16 to 1024 visible ASCII characters; what makes a good one: openssl rand -hex 32
//
// Threads: any.  Errors: values, for people.
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace meridian {

inline constexpr std::size_t kTokenBytesMin = 16;
inline constexpr std::size_t kTokenBytesMax = 1024;

// The token in the file, or why there is none; the reason names the path, never the content.
Result<std::string, std::string> read_token(const std::string& path);

// Are they the same?  Takes as long for every `given` of a length, so that answers do not tell how much
// of a guess was right.
bool same_secret(std::string_view secret, std::string_view given);

}  // namespace meridian
