#include "tools/meridian/raster.h"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "tools/meridian/glyphs.h"

namespace meridian::cli {
namespace {

// How a dot matrix grows: each dot becomes two by two, of which a corner is filled or cut where the
// neighbours on both of its sides say so (the rule known as Scale2x).
constexpr int kGrowth = 2;
constexpr int kAdvance = (kGlyphWidth + 1) * kGrowth;

bool dot(char letter, int x, int y) {
  if (x < 0 || x >= kGlyphWidth || y < 0 || y >= kGlyphHeight) return false;
  return (glyph_of(letter)[static_cast<std::size_t>(x)] >> y & 1) != 0;
}

bool grown_dot(char letter, int x, int y) {
  int column = x / kGrowth;
  int row = y / kGrowth;
  int across = x % kGrowth == 0 ? -1 : 1;
  int along = y % kGrowth == 0 ? -1 : 1;
  bool beside = dot(letter, column + across, row);
  bool above = dot(letter, column, row + along);
  bool corner = beside == above && beside != dot(letter, column - across, row) &&
                above != dot(letter, column, row - along);
  return corner ? beside : dot(letter, column, row);
}

double distance(Point from, Point to, double x, double y) {
  double dx = to.x - from.x;
  double dy = to.y - from.y;
  double length = dx * dx + dy * dy;
  double along = length == 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / length;
  along = std::clamp(along, 0.0, 1.0);
  return std::hypot(x - from.x - along * dx, y - from.y - along * dy);
}

}  // namespace

Raster::Raster(int width, int height, Colour paper)
    : width_(width),
      height_(height),
      pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), paper) {}

void Raster::blend(int x, int y, Colour colour, double share) {
  Colour& pixel = pixels_[index(x, y)];
  auto mixed = [share](std::uint8_t under, std::uint8_t over) {
    return static_cast<std::uint8_t>(std::lround(under + (over - under) * share));
  };
  pixel = {mixed(pixel.red, colour.red), mixed(pixel.green, colour.green),
           mixed(pixel.blue, colour.blue)};
}

void Raster::line(const std::vector<Point>& points, double width, Colour colour) {
  // How much of each pixel is covered, by whichever piece of the line covers most of it.
  std::map<std::size_t, double> covered;
  double reach = width / 2 + 0.5;
  auto clipped = [](double value, int limit) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit - 1)));
  };
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point& from = points[i - 1];
    const Point& to = points[i];
    int x_end = clipped(std::max(from.x, to.x) + reach, width_);
    int y_end = clipped(std::max(from.y, to.y) + reach, height_);
    for (int y = clipped(std::min(from.y, to.y) - reach, height_); y <= y_end; ++y)
      for (int x = clipped(std::min(from.x, to.x) - reach, width_); x <= x_end; ++x) {
        double share = std::min(reach - distance(from, to, x + 0.5, y + 0.5), 1.0);
        if (share <= 0) continue;
        double& most = covered[index(x, y)];
        most = std::max(most, share);
      }
  }
  for (const auto& [at, share] : covered) {
    auto row = static_cast<int>(at / static_cast<std::size_t>(width_));
    blend(static_cast<int>(at % static_cast<std::size_t>(width_)), row, colour, share);
  }
}

void Raster::text(Point at, std::string_view text, Colour colour) {
  auto left = static_cast<int>(std::lround(at.x));
  int top = static_cast<int>(std::lround(at.y)) - kGlyphBaseline * kGrowth;
  for (char letter : text) {
    for (int y = 0; y < kGlyphHeight * kGrowth; ++y)
      for (int x = 0; x < kGlyphWidth * kGrowth; ++x) {
        bool inside = left + x >= 0 && left + x < width_ && top + y >= 0 && top + y < height_;
        if (inside && grown_dot(letter, x, y)) blend(left + x, top + y, colour, 1);
      }
    left += kAdvance;
  }
}

int Raster::text_width(std::string_view text) {
  return static_cast<int>(text.size()) * kAdvance - kGrowth;
}

std::string Raster::png() const {
  static_assert(sizeof(Colour) == 3, "pixels lie as PNG_FORMAT_RGB wants them");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width_);
  image.height = static_cast<png_uint_32>(height_);
  image.format = PNG_FORMAT_RGB;
  // First how long it gets, then the bytes.
  std::string out;
  png_alloc_size_t size = 0;
  bool written =
      png_image_write_to_memory(&image, nullptr, &size, 0, pixels_.data(), 0, nullptr) != 0;
  if (written) {
    out.resize(size);
    written =
        png_image_write_to_memory(&image, out.data(), &size, 0, pixels_.data(), 0, nullptr) != 0;
    out.resize(size);
  }
  if (!written) throw std::runtime_error(std::string("cannot make a PNG file: ") + image.message);
  return out;
}

}  // namespace meridian::cli
