// What every kind of picture of plot.h shows, and where: points of a frame whose size is in the SVG's
// units.
//
// Threads: any.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tools/meridian/plot.h"

namespace meridian::cli {

struct Point {
  double x = 0;
  double y = 0;
};

struct Label {
  Point at;  // of the text's baseline; its begin, middle or end
  std::string text;
};

struct Curve {
  const char* colour = "";    // "#rrggbb"
  std::vector<Point> points;  // empty: nothing arrived
  Label label;                // begins there; a dash of the colour stands before it
};

struct PlotLayout {
  double width = 0;
  double height = 0;
  double left = 0;   // of the frame in which curves are
  double right = 0;
  std::vector<Label> rows;     // a line of the grid each, 4 above its label, which ends at `at`
  std::vector<Label> columns;  // labels alone, around `at`
  std::vector<Curve> curves;
};

inline constexpr const char* kPlotTitle = "Replication lag by percentile";
inline constexpr const char* kPaper = "#ffffff";
inline constexpr const char* kInk = "#57606a";
inline constexpr const char* kGrid = "#d0d7de";
inline constexpr double kLabelDrop = 4;  // from a line to the baseline of its label

PlotLayout layout_of(const NamedLags& lags);

}  // namespace meridian::cli
