// Raster: a picture of pixels with what a plot needs: lines and letters.  Written as PNG by libpng.
//
// Letters are a dot matrix (glyphs.h), doubled and with its diagonals smoothed, so that no font has to be
// installed where it runs (a container has none).  What is not printable ASCII is a question mark.
// Threads: one owner.  Errors: std::runtime_error from png().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/meridian/plot_layout.h"

namespace meridian::cli {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

class Raster {
 public:
  Raster(int width, int height, Colour paper);
  // From point to point, in pixels; what lies outside is cut off.
  void line(const std::vector<Point>& points, double width, Colour colour);
  // `at`: where the baseline begins.
  void text(Point at, std::string_view text, Colour colour);
  static int text_width(std::string_view text);
  [[nodiscard]] std::string png() const;
  // REQUIRES: within the picture
  [[nodiscard]] Colour at(int x, int y) const { return pixels_[index(x, y)]; }

 private:
  [[nodiscard]] std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
           static_cast<std::size_t>(x);
  }
  void blend(int x, int y, Colour colour, double share);

  const int width_;
  const int height_;
  std::vector<Colour> pixels_;  // row by row
};

}  // namespace meridian::cli
