// Glyphs: printable ASCII as the dot matrix of character displays: five wide, seven high, and one more
// row for what hangs below the baseline.
//
// Threads: constant data.
#pragma once

#include <array>
#include <cstdint>

namespace meridian::cli {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 8;
inline constexpr int kGlyphBaseline = 7;  // rows above it

// A column per byte, from the left; the lowest bit is the top.
using Glyph = std::array<std::uint8_t, kGlyphWidth>;
// That of '?' for what is not printable ASCII.
const Glyph& glyph_of(char letter);

}  // namespace meridian::cli
