// The picture as SVG.
#include <fmt/format.h>

#include "tools/meridian/plot_layout.h"

namespace meridian::cli {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<') out += "&lt;";
    else if (c == '&') out += "&amp;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

std::string label(const Label& label, const char* anchor) {
  return fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='{}'>{}</text>\n", label.at.x,
                     label.at.y, anchor, escaped(label.text));
}

}  // namespace

std::string plot_svg(const NamedLags& lags) {
  PlotLayout layout = layout_of(lags);
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {:.0f} {:.0f}' width='{:.0f}'"
      " height='{:.0f}' role='img'>\n<title>{}</title>\n"
      "<style>text{{font:12px system-ui,sans-serif;fill:{}}}.grid{{stroke:{}}}</style>\n"
      "<rect width='100%' height='100%' fill='{}'/>\n",
      layout.width, layout.height, layout.width, layout.height, kPlotTitle, kInk, kGrid, kPaper);
  for (const auto& row : layout.rows) {
    double y = row.at.y - kLabelDrop;
    out += fmt::format("<line class='grid' x1='{:.0f}' y1='{:.1f}' x2='{:.0f}' y2='{:.1f}'/>",
                       layout.left, y, layout.right, y) +
           label(row, "end");
  }
  for (const auto& column : layout.columns) out += label(column, "middle");
  for (const auto& curve : layout.curves) {
    std::string points;
    for (const auto& point : curve.points)
      points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", point.x, point.y);
    if (!points.empty())
      out += fmt::format("<polyline fill='none' stroke='{}' stroke-width='2' points='{}'/>\n",
                         curve.colour, points);
    out += fmt::format("<rect x='{:.0f}' y='{:.0f}' width='12' height='4' fill='{}'/>",
                       layout.left, curve.label.at.y - 6, curve.colour) +
           label(curve.label, "start");
  }
  return out + "</svg>\n";
}

}  // namespace meridian::cli
