#include "common/token_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace meridian {

Result<std::string, std::string> read_token(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Err(path + " cannot be read: " + std::strerror(errno));
  // One more than is allowed, with room for a line end, and no further: it may be any file.
  std::string token(kTokenBytesMax + 3, '\0');
  in.read(token.data(), static_cast<std::streamsize>(token.size()));
  if (in.bad()) return Err(path + " cannot be read: " + std::strerror(errno));
  token.resize(static_cast<std::size_t>(in.gcount()));
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  bool visible =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!visible || token.size() < kTokenBytesMin || token.size() > kTokenBytesMax)
    return Err(path + " must hold one line of " + std::to_string(kTokenBytesMin) + " to " +
               std::to_string(kTokenBytesMax) + " visible ASCII characters without spaces");
  return token;
}

bool same_secret(std::string_view secret, std::string_view given) {
  // Volatile, so that the compiler does not leave the loop when it could.
  volatile unsigned char differing = secret.size() == given.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    char other = secret.empty() ? '\0' : secret[i % secret.size()];
    differing = static_cast<unsigned char>(differing | (given[i] ^ other));
  }
  return differing == 0 && !secret.empty();
}

}  // namespace meridian
