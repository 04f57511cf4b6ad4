// Strong types for the identities that travel through every layer, so that a shard can never be
// passed for a sequence.  Values only: no clock, no randomness (callers pass the random bits in).
//
// Threads: value types.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/check.h"

namespace meridian {

template <typename Tag, typename Rep>
struct StrongInt {
  Rep value{};
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep v) : value(v) {}
  constexpr auto operator<=>(const StrongInt&) const = default;
  [[nodiscard]] constexpr StrongInt next() const { return StrongInt(static_cast<Rep>(value + 1)); }
};

// Number of one shard of one table's change log, from 0.
using ShardId = StrongInt<struct ShardTag, std::uint16_t>;
// Place of a record in a shard, contiguous from 1; 0 means "before the first record".
using Sequence = StrongInt<struct SequenceTag, std::uint64_t>;
// Random number drawn at each start of a region node; names one unbroken stretch of its log.
using StartId = StrongInt<struct StartTag, std::uint64_t>;
// Random number drawn when a data directory is made; a region's name is pinned to one of these.
using NodeId = StrongInt<struct NodeTag, std::uint64_t>;

// A region's name, such as us-east-1, stored inline because versions carry one each.
// Limits: 1 to kBytesMax bytes of [a-z0-9-].
class RegionId {
 public:
  static constexpr std::size_t kBytesMax = 22;

  RegionId() = default;
  // Empty when `name` is not a region name.
  static std::optional<RegionId> parse(std::string_view name) {
    if (name.empty() || name.size() > kBytesMax) return std::nullopt;
    for (char c : name) {
      bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      if (!fine) return std::nullopt;
    }
    RegionId id;
    id.size_ = static_cast<std::uint8_t>(name.size());
    std::memcpy(id.name_.data(), name.data(), name.size());
    return id;
  }
  // REQUIRES: `name` is a region name.
  static RegionId of(std::string_view name) {
    auto id = parse(name);
    MERIDIAN_CHECK(id.has_value());
    return *id;
  }

  [[nodiscard]] std::string_view name() const { return {name_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Order of the names' bytes, which is also the order of their encodings.
  std::strong_ordering operator<=>(const RegionId& other) const { return name() <=> other.name(); }
  bool operator==(const RegionId& other) const { return name() == other.name(); }

 private:
  std::array<char, kBytesMax> name_{};
  std::uint8_t size_ = 0;
};

// Random 128-bit identity of a table: one made again under the same name is another table.
struct TableId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const TableId&) const = default;

  // 32 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out(32, '0');
    for (int i = 0; i < 16; ++i) {
      out[static_cast<std::size_t>(15 - i)] = kDigits[(high >> (4 * i)) & 15];
      out[static_cast<std::size_t>(31 - i)] = kDigits[(low >> (4 * i)) & 15];
    }
    return out;
  }
  static std::optional<TableId> parse(std::string_view hex) {
    if (hex.size() != 32) return std::nullopt;
    TableId id;
    for (std::size_t i = 0; i < 32; ++i) {
      char c = hex[i];
      std::uint64_t digit;
      if (c >= '0' && c <= '9') {
        digit = static_cast<std::uint64_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<std::uint64_t>(c - 'a' + 10);
      } else {
        return std::nullopt;
      }
      std::uint64_t& half = i < 16 ? id.high : id.low;
      half = half << 4 | digit;
    }
    return id;
  }
};

// A place in a source's change log.  Valid only where the source's history of starts holds
// `start` with `sequence` in its stretch; a restored or forked log does not.
struct LogPosition {
  StartId start;
  Sequence sequence;
  bool operator==(const LogPosition&) const = default;
};

}  // namespace meridian

template <>
struct std::hash<meridian::TableId> {
  std::size_t operator()(const meridian::TableId& id) const noexcept {
    return static_cast<std::size_t>(id.high ^ id.low * 0x9e3779b97f4a7c15ULL);
  }
};
template <>
struct std::hash<meridian::RegionId> {
  std::size_t operator()(const meridian::RegionId& id) const noexcept {
    return std::hash<std::string_view>{}(id.name());
  }
};
