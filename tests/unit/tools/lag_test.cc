// What `meridian lag` makes of the figures of links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/meridian/lag_view.h"
#include "tools/meridian/link_sums.h"
#include "tools/meridian/percentiles.h"
#include "tools/meridian/plot.h"

namespace meridian::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Link link(const std::string& table, const std::string& source, const std::string& sink,
          std::vector<std::int64_t> lags_us = {}) {
  Link out;
  out.table = table;
  out.source = source;
  out.sink = sink;
  out.state = "waiting";
  out.pending_records = 0;
  out.pending_bytes = 0;
  out.oldest_pending_ms = 0;
  for (auto lag_us : lags_us) out.records.add(lag_us);
  return out;
}

TEST(LinkSums, TakeAllRecordsTogetherAndTheWorstState) {
  Link a = link("A", "us", "eu", {1'000, 2'000, 3'000});
  Link b = link("B", "us", "eu", {100'000});
  b.state = "backing_off";
  b.reason = "connection refused";
  b.pending_records = 7;
  b.pending_bytes = 700;
  b.oldest_pending_ms = 1234;
  b.trend = "growing";
  a.trend = "steady";
  auto sums = sum_by_link({a, b, link("A", "us", "ap")});
  ASSERT_EQ(sums.size(), 2U);
  const Link& eu = sums[1];
  EXPECT_EQ(eu.sink, "eu");
  EXPECT_EQ(eu.state, "backing_off");
  EXPECT_EQ(eu.reason, "B: connection refused");
  EXPECT_EQ(eu.pending_records, 7);
  EXPECT_EQ(eu.oldest_pending_ms, 1234);
  EXPECT_EQ(eu.trend, "growing");
  EXPECT_NEAR(*eu.quantile_ms(0.5), 2.0, 0.02);
  EXPECT_NEAR(*eu.quantile_ms(0.99), 100.0, 0.8);
  EXPECT_EQ(sums[0].quantile_ms(0.5), std::nullopt);
}

TEST(LinkSums, WhatIsUnknownOfOneTableIsUnknownOfAll) {
  Link dark = link("B", "us", "eu");
  dark.state = "unknown";
  dark.pending_records.reset();
  auto sums = sum_by_link({link("A", "us", "eu"), dark, link("C", "us", "eu")});
  EXPECT_EQ(sums[0].pending_records, std::nullopt);
  EXPECT_EQ(sums[0].state, "unknown");
}

TEST(LinkSums, TakeTheWatermarkThatIsFurthestBehind) {
  Link a = link("A", "us", "eu");
  Link b = link("B", "us", "eu");
  a.watermark_us = 1'764'428'400'123'000;
  b.watermark_us = *a.watermark_us + 5'000'000;
  EXPECT_EQ(sum_by_link({a, b})[0].watermark_us, a.watermark_us);
  EXPECT_EQ(sum_by_link({b, a})[0].watermark_us, a.watermark_us);
  EXPECT_EQ(sum_by_link({a, b, link("C", "us", "eu")})[0].watermark_us, std::nullopt)
      << "what is unknown of one table is unknown of all";
}

TEST(Lag, TellsTheWatermarkInEveryFormat) {
  Link known = link("A", "us", "eu");
  known.watermark_us = 1'764'428'400'123'000;
  EXPECT_THAT(render({known}, Format::table, Rows::all), HasSubstr("2025-11-29T15:00:00.123Z"));
  EXPECT_THAT(render({known}, Format::csv, Rows::all), HasSubstr("1764428400123000"));
  EXPECT_THAT(render({known}, Format::json, Rows::all),
              HasSubstr("\"watermark_us\":1764428400123000"));
  Link dark = link("A", "us", "eu");
  EXPECT_THAT(render({dark}, Format::json, Rows::all), HasSubstr("\"watermark_us\":null"));
}

TEST(Lag, IsThatOfProbesOnlyWhenThereWasNoRecord) {
  Link idle = link("A", "us", "eu");
  EXPECT_EQ(idle.measured_by(), "");
  idle.probes.add(5'000);
  EXPECT_EQ(idle.measured_by(), "probes");
  EXPECT_THAT(render({idle}, Format::table, Rows::all), HasSubstr("~5.0 ms"));
  idle.records.add(80'000);
  EXPECT_EQ(idle.measured_by(), "records");
  EXPECT_NEAR(*idle.quantile_ms(0.5), 80, 0.8);
  EXPECT_THAT(render({idle}, Format::table, Rows::all), Not(HasSubstr("~")));
}

TEST(Lag, AStalledLinkIsNeverShownAsNone) {
  Link stalled = link("A", "us", "eu");
  stalled.state = "unreachable";
  stalled.pending_records = 12;
  stalled.oldest_pending_ms = 61'000;
  std::string text = render({stalled}, Format::table, Rows::all);
  EXPECT_THAT(text, HasSubstr("unreachable"));
  EXPECT_THAT(text, HasSubstr("61.0 s"));
  EXPECT_THAT(text, Not(HasSubstr("0.0 ms")));
  std::string json = render({stalled}, Format::json, Rows::all);
  EXPECT_THAT(json, HasSubstr("\"p50_ms\":null"));
  Link dark = stalled;
  dark.pending_records.reset();
  dark.oldest_pending_ms.reset();
  EXPECT_THAT(render({dark}, Format::table, Rows::all), HasSubstr("unknown"));
}

TEST(Lag, CsvHasOneKindOfRow) {
  std::vector<Link> links{link("A", "us", "eu"), link("B", "us", "eu")};
  std::string all = render(links, Format::csv, Rows::all);
  std::string sums = render(links, Format::csv, Rows::sums);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 3);
  EXPECT_EQ(std::count(sums.begin(), sums.end(), '\n'), 2);
  EXPECT_TRUE(all.starts_with("table,source,sink,state,"));
  EXPECT_TRUE(sums.starts_with("source,sink,state,"));
}

TEST(Lag, SumsAreShownToPeopleWhenThereAreSeveralTables) {
  std::vector<Link> links{link("A", "us", "eu"), link("B", "us", "eu")};
  EXPECT_THAT(render(links, Format::table, Rows::all), HasSubstr("All tables of a link"));
  EXPECT_THAT(render({links[0]}, Format::table, Rows::all), Not(HasSubstr("All tables")));
}

TEST(Lag, TheTrendOfASilentWorkersLinkIsToldFromLookToLook) {
  TrendKeeper trends;
  std::vector<Link> links{link("A", "us", "eu"), link("B", "us", "eu")};
  links[0].oldest_pending_ms = 1000;
  links[1].trend = "steady";
  trends.complete(links);
  EXPECT_EQ(links[0].trend, "");
  links[0].oldest_pending_ms = 2000;
  trends.complete(links);
  EXPECT_EQ(links[0].trend, "growing");
  EXPECT_EQ(links[1].trend, "steady") << "as its worker says";
}

TEST(Lag, FilesAreNamedAfterTheirLinks) {
  Link one = link("Orders", "us", "eu");
  EXPECT_EQ(file_for("out/lag.hgrm", one), "out/lag-Orders-us-eu.hgrm");
  EXPECT_EQ(file_for("out.d/lag", one), "out.d/lag-Orders-us-eu");
  EXPECT_EQ(file_for(".hidden", one), ".hidden-Orders-us-eu");
}

TEST(States, AreOrderedByHowBadTheyAre) {
  EXPECT_LT(severity("waiting"), severity("running"));
  EXPECT_LT(severity("running"), severity("quarantined"));
  EXPECT_LT(severity("backing_off"), severity("cut"));
  EXPECT_LT(severity("held"), severity("repairing"));
  EXPECT_LT(severity("repairing"), severity("repair_needed"));
  EXPECT_LT(severity("unreachable"), severity("something new"));
}

// ------------------------------------------------------------------------------------------ files

TEST(Percentiles, AreHdrHistogramsText) {
  LagCounts lag;
  for (int i = 1; i <= 100; ++i) lag.add(i);
  std::string text = percentile_text(lag);
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "       Value     Percentile TotalCount 1/(1-Percentile)");
  std::getline(lines, line);
  EXPECT_EQ(line, "");
  std::getline(lines, line);
  EXPECT_EQ(line, "       0.001 0.000000000000          1           1.00");
  EXPECT_THAT(text, HasSubstr("       0.100 1.000000000000        100\n"));
  EXPECT_THAT(text, HasSubstr("#[Mean    =        0.051, StdDeviation   =        0.029]\n"));
  EXPECT_THAT(text, HasSubstr("#[Max     =        0.100, Total count    =          100]\n"));
  // Neither values, percentiles nor counts go back.
  double value = -1;
  double quantile = -1;
  std::istringstream again(text.substr(text.find("\n\n") + 2));
  while (std::getline(again, line) && line[0] != '#') {
    std::istringstream fields(line);
    double v = 0;
    double q = 0;
    fields >> v >> q;
    EXPECT_GE(v, value);
    EXPECT_GT(q, quantile);
    value = v;
    quantile = q;
  }
  EXPECT_EQ(quantile, 1.0);
}

TEST(Percentiles, OfNothing) {
  EXPECT_THAT(percentile_text({}), HasSubstr("Total count    =            0"));
  EXPECT_THAT(plot_svg({{"A & <b>", {}}}), HasSubstr("A &amp; &lt;b&gt;: nothing arrived"));
}

TEST(Percentiles, ThePlotStaysInItsFrame) {
  LagCounts lag;
  for (int i = 0; i < 5'000; ++i) lag.add(i * i);
  std::string svg = plot_svg({{"one", lag}, {"two", {}}});
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr("p99.9"));
  auto at = svg.find("points='") + 8;
  std::istringstream points(svg.substr(at, svg.find('\'', at) - at));
  for (std::string point; points >> point;) {
    double x = std::stod(point);
    double y = std::stod(point.substr(point.find(',') + 1));
    EXPECT_TRUE(x >= 80 && x <= 840 && y >= 20 && y <= 330) << point;
  }
}

}  // namespace
}  // namespace meridian::cli
