// Hlc and Version: when a write happened, in an order that every region agrees on.
//
// A Version is (physical ms, logical, region), totally ordered.  The region is part of it because a
// bare "greater than" on time lets two regions keep different items for ever on a tie.
//
// Encoding: hlc as 8 bytes big-endian (48 bits of ms, 16 of logical), then the region's name.  Byte
// order equals operator<=>, so SQL and memcmp may compare encoded versions.
// Limits: physical ms below 2^48 (year 10889); logical overflow carries into the physical part.
// Threads: value types.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "common/bytes.h"
#include "common/ids.h"

namespace meridian::conflict {

// Hybrid logical clock value: physical milliseconds in the high 48 bits, a counter in the low 16.
struct Hlc {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const Hlc&) const = default;

  static constexpr Hlc at_ms(std::int64_t physical_ms) {
    return Hlc{static_cast<std::uint64_t>(physical_ms) << 16};
  }
  [[nodiscard]] constexpr std::int64_t physical_ms() const {
    return static_cast<std::int64_t>(value >> 16);
  }
  [[nodiscard]] constexpr std::uint16_t logical() const {
    return static_cast<std::uint16_t>(value & 0xffff);
  }
  // The next value; a full counter carries into the milliseconds.
  [[nodiscard]] constexpr Hlc next() const { return Hlc{value + 1}; }
};

struct Version {
  Hlc hlc;
  RegionId region;
  auto operator<=>(const Version&) const = default;
  bool operator==(const Version&) const = default;
};

void encode_version(Bytes& out, const Version& version);
Bytes encode_version(const Version& version);
// Empty unless `in` is exactly one encoded version.
std::optional<Version> decode_version(BytesView in);

// "2026-11-21T02:14:07.123Z/4@us-east-1": for people, logs and the command line.
std::string to_text(const Version& version);
// What to_text() wrote; empty when it is not that.
std::optional<Version> version_from_text(std::string_view text);

}  // namespace meridian::conflict
