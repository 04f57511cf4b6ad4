// Bytes as std::string and std::string_view, and the few fixed encodings that every layer shares.
// std::string is our byte container because SQLite, Beast and Cap'n Proto all take one without a copy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian {

using Bytes = std::string;
using BytesView = std::string_view;

// Big-endian, so that byte order is number order.
void put_u16(Bytes& out, std::uint16_t value);
void put_u32(Bytes& out, std::uint32_t value);
void put_u64(Bytes& out, std::uint64_t value);
// LEB128: seven bits a byte, low first, in the shortest form; for lengths and counts.
void put_varint(Bytes& out, std::uint64_t value);

// Each takes its bytes off the front of `in`, or answers empty and leaves `in` alone.
std::optional<std::uint16_t> take_u16(BytesView& in);
std::optional<std::uint32_t> take_u32(BytesView& in);
std::optional<std::uint64_t> take_u64(BytesView& in);
std::optional<std::uint64_t> take_varint(BytesView& in);
std::optional<BytesView> take_bytes(BytesView& in, std::size_t count);

std::string to_hex(BytesView bytes);
std::optional<Bytes> from_hex(std::string_view text);
std::string to_base64(BytesView bytes);
// Strict RFC 4648 with padding, as DynamoDB wants it.
std::optional<Bytes> from_base64(std::string_view text);

// Well-formed UTF-8: no overlong forms, surrogates or cut characters.
bool is_utf8(std::string_view text);

// XXH3-64 of the bytes: digests, shard choice, tie-breaks.  The same on every region and release.
std::uint64_t hash64(BytesView bytes);

}  // namespace meridian
