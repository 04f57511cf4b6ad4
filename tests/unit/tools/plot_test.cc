// Pictures of lags: what is drawn, where, and that it can be read again.
#include "tools/meridian/plot.h"

#include <gtest/gtest.h>
#include <png.h>

#include <cmath>
#include <set>

#include "tools/meridian/deployment.h"
#include "tools/meridian/glyphs.h"
#include "tools/meridian/raster.h"

namespace meridian::cli {
namespace {

constexpr Colour kBlack{0, 0, 0};
constexpr Colour kWhite{255, 255, 255};

bool same(Colour a, Colour b) {
  return a.red == b.red && a.green == b.green && a.blue == b.blue;
}

struct Pixels {
  int width = 0;
  int height = 0;
  std::vector<Colour> all;
  [[nodiscard]] Colour at(int x, int y) const {
    return all.at(static_cast<std::size_t>(y * width + x));
  }
};

Pixels read_png(const std::string& file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, file.data(), file.size()), 0);
  image.format = PNG_FORMAT_RGB;
  Pixels out{static_cast<int>(image.width), static_cast<int>(image.height), {}};
  out.all.resize(image.width * image.height);
  EXPECT_NE(png_image_finish_read(&image, nullptr, out.all.data(), 0, nullptr), 0) << image.message;
  return out;
}

TEST(Raster, DrawsLinesOfTheirWidth) {
  Raster raster(40, 20, kWhite);
  raster.line({{5, 10}, {35, 10}}, 4, kBlack);
  for (int x = 6; x < 34; ++x) {
    int dark = 0;
    for (int y = 0; y < 20; ++y) dark += same(raster.at(x, y), kBlack) ? 1 : 0;
    EXPECT_EQ(dark, 4) << x;
  }
  EXPECT_TRUE(same(raster.at(1, 10), kWhite));
  EXPECT_TRUE(same(raster.at(38, 10), kWhite));
}

TEST(Raster, CutsOffWhatLiesOutside) {
  Raster raster(20, 20, kWhite);
  raster.line({{-50, -50}, {80, 80}}, 2, kBlack);
  raster.line({{-50, 300}, {80, 300}}, 2, kBlack);
  raster.text({-30, 5}, "outside", kBlack);
  raster.text({15, 200}, "outside", kBlack);
  EXPECT_TRUE(same(raster.at(10, 10), kBlack));
  EXPECT_TRUE(same(raster.at(0, 19), kWhite));
  EXPECT_EQ(read_png(raster.png()).all.size(), 400U);
}

TEST(Raster, EveryLetterLooksDifferent) {
  std::set<std::string> seen;
  for (char letter = ' '; letter <= '~'; ++letter) {
    Raster raster(12, 16, kWhite);
    raster.text({0, 14}, std::string(1, letter), kBlack);
    std::string looks;
    for (int y = 0; y < 16; ++y)
      for (int x = 0; x < 12; ++x) looks += same(raster.at(x, y), kBlack) ? '#' : '.';
    EXPECT_TRUE(seen.insert(looks).second) << letter;
    EXPECT_EQ(looks.find('#') == std::string::npos, letter == ' ') << letter;
  }
  EXPECT_EQ(&glyph_of('\n'), &glyph_of('?'));
  EXPECT_EQ(&glyph_of(static_cast<char>(0xc3)), &glyph_of('?'));
}

TEST(Plot, APngShowsACurveForEachLag) {
  LagCounts one;
  LagCounts other;
  for (int i = 1; i <= 5'000; ++i) {
    one.add(10 * i);
    other.add(i * i / 1'000);
  }
  Pixels plain = read_png(plot_png({{"nothing", {}}}));
  Pixels drawn = read_png(plot_png({{"one", one}, {"other", other}}));
  EXPECT_EQ(drawn.width, plain.width);
  EXPECT_GT(drawn.height, plain.height) << "another line of the legend";
  // The SVG's colours and frame: from 80 to 840 of 860, 20 to 330.
  const double unit = drawn.width / 860.0;
  int blue = 0;
  int orange = 0;
  for (int y = 0; y < static_cast<int>(340 * unit); ++y)
    for (int x = 0; x < drawn.width; ++x) {
      bool is_blue = same(drawn.at(x, y), {0x1f, 0x6f, 0xeb});
      bool is_orange = same(drawn.at(x, y), {0xd1, 0x57, 0x1f});
      if (!is_blue && !is_orange) continue;
      ++(is_blue ? blue : orange);
      EXPECT_TRUE(x >= 78 * unit && x <= 842 * unit && y >= 18 * unit && y <= 332 * unit)
          << x << "," << y;
    }
  // Each goes through the whole frame, once or more per column.
  EXPECT_GT(blue, 700 * unit);
  EXPECT_GT(orange, 700 * unit);
  // The larger lag lies higher in the middle.
  auto top_of = [&](Colour colour) {
    for (int y = 0; y < static_cast<int>(340 * unit); ++y)
      if (same(drawn.at(static_cast<int>(300 * unit), y), colour)) return y;
    return drawn.height;
  };
  EXPECT_LT(top_of({0x1f, 0x6f, 0xeb}), top_of({0xd1, 0x57, 0x1f}));
}

TEST(Plot, TheExtensionSaysWhatIsDrawn) {
  EXPECT_EQ(picture_for("--plot", "a.svg"), Picture::svg);
  EXPECT_EQ(picture_for("--plot", "out.d/a.PNG"), Picture::png);
  for (const char* wrong : {"a.pdf", "a", "png", "svg", "a.svg/b", "a.png.gz", "a."})
    EXPECT_THROW((void)picture_for("--plot", wrong), UsageError) << wrong;
}

}  // namespace
}  // namespace meridian::cli
