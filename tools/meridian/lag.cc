#include "tools/meridian/lag.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <cmath>
#include <fstream>
#include <memory>

#include "tools/meridian/lag_view.h"
#include "tools/meridian/percentiles.h"
#include "tools/meridian/plot.h"
#include "tools/meridian/quantity.h"

namespace meridian::cli {

namespace {

struct LagOptions {
  LagFilter filter;
  bool watch = false;
  bool sums = false;
  std::string interval = "1s";
  std::string window = "1m";
  std::string hdr;
  std::string plot;
};

void put_file(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) throw UsageError("cannot write " + path);
  progress("wrote " + path);
}

// One file for each link, for what reads them takes one series; of one link alone it is FILE itself.
void write_percentiles(const std::vector<Link>& links, const LagOptions& lag) {
  NamedLags named;
  for (const auto& link : links) named.emplace_back(name_of(link), link.lag());
  if (!lag.hdr.empty())
    for (std::size_t i = 0; i < links.size(); ++i)
      put_file(links.size() == 1 ? lag.hdr : file_for(lag.hdr, links[i]),
               percentile_text(named[i].second));
  if (!lag.plot.empty()) put_file(lag.plot, plot(picture_for("--plot", lag.plot), named));
}

int show_lag(const Options& options, const LagOptions& lag) {
  Deployment deployment = load_deployment(options.deployment);
  std::int64_t interval_ms = parse_ms("--interval", lag.interval);
  std::int64_t window_ms = parse_ms("--window", lag.window);
  if (window_ms < 1 || window_ms > kLagWindowMsMax)
    throw UsageError("--window must be between 1ms and 5m");
  bool files = !lag.hdr.empty() || !lag.plot.empty();
  if (lag.watch && files) throw UsageError("--hdr and --plot are of one look, not of --watch");
  if (!lag.plot.empty()) (void)picture_for("--plot", lag.plot);  // refused before anybody is asked
  TrendKeeper trends;
  for (;;) {
    LinkReport report = read_links(deployment, window_ms);
    std::vector<Link> links = filtered(std::move(report.links), lag.filter);
    trends.complete(links);
    std::string text = render(links, options.format, lag.sums ? Rows::sums : Rows::all);
    if (lag.watch && to_terminal() && options.format == Format::table)
      text = "\x1b[H\x1b[2J" + text + "\nevery " + std::to_string(interval_ms) +
             " ms, Ctrl-C ends\n";
    print(text);
    if (!lag.watch) {
      if (files) write_percentiles(lag.sums ? sum_by_link(links) : links, lag);
      for (const auto& problem : report.problems) progress(problem);
      return report.answered ? kExitYes : kExitUnreachable;
    }
    pause_ms(interval_ms);
  }
}

}  // namespace

void add_lag_command(CLI::App& app, const Options& options, std::function<int()>& run) {
  auto lag = std::make_shared<LagOptions>();
  auto* command = app.add_subcommand("lag", "How far is every region behind every other?");
  command->add_flag("--watch", lag->watch, "Show it again and again until Ctrl-C");
  command->add_option("--interval", lag->interval, "Pause between two looks (default 1s)");
  command->add_option("--window", lag->window,
                      "Tell the lag of so long, at most 5m (default 1m)");
  command->add_flag("--sums", lag->sums, "Show the sums over all tables of each link alone");
  command->add_option("--table", lag->filter.table, "Only this table");
  command->add_option("--from", lag->filter.source, "Only links from this region");
  command->add_option("--to", lag->filter.sink, "Only links to this region");
  command->add_option("--hdr", lag->hdr,
                      "Write HdrHistogram percentile text; of several links, one file for each");
  command->add_option("--plot", lag->plot, "Draw the percentiles: FILE.svg or FILE.png");
  command->callback([lag, &options, &run] {
    run = [lag, &options] { return show_lag(options, *lag); };
  });
}

}  // namespace meridian::cli
