// CRC-32 (the one of zlib and Ethernet), for the x-amz-crc32 header that AWS SDKs verify.
// Threads: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::api {

std::uint32_t crc32(std::string_view bytes);

}  // namespace meridian::api
