// The picture as PNG: larger than the SVG's units, for pixels do not scale.
#include <charconv>
#include <string_view>

#include "tools/meridian/plot_layout.h"
#include "tools/meridian/raster.h"

namespace meridian::cli {
namespace {

constexpr double kPixels = 1.5;  // for each unit of the layout
constexpr double kLineWidth = 2.5;

Colour colour_of(std::string_view text) {
  unsigned value = 0;
  std::from_chars(text.data() + 1, text.data() + text.size(), value, 16);
  return {static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value)};
}

Point pixels(Point at) { return {at.x * kPixels, at.y * kPixels}; }

}  // namespace

std::string plot_png(const NamedLags& lags) {
  PlotLayout layout = layout_of(lags);
  Raster raster(static_cast<int>(layout.width * kPixels),
                static_cast<int>(layout.height * kPixels), colour_of(kPaper));
  const Colour ink = colour_of(kInk);
  auto write = [&](const Label& label, double share_before) {
    Point at = pixels(label.at);
    raster.text({at.x - share_before * Raster::text_width(label.text), at.y}, label.text, ink);
  };
  for (const auto& row : layout.rows) {
    double y = row.at.y - kLabelDrop;
    raster.line({pixels({layout.left, y}), pixels({layout.right, y})}, 1, colour_of(kGrid));
    write(row, 1);
  }
  for (const auto& column : layout.columns) write(column, 0.5);
  for (const auto& curve : layout.curves) {
    std::vector<Point> points;
    for (const auto& point : curve.points) points.push_back(pixels(point));
    raster.line(points, kLineWidth, colour_of(curve.colour));
    double y = curve.label.at.y - 4;
    raster.line({pixels({layout.left, y}), pixels({layout.left + 12, y})}, 5,
                colour_of(curve.colour));
    write(curve.label, 0);
  }
  return raster.png();
}

}  // namespace meridian::cli
