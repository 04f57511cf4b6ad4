#include "tools/meridian/replicate/replicate.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/meridian/interrupts.h"
#include "tools/meridian/table_calls.h"

namespace meridian::replicate {
namespace json = boost::json;

namespace {

constexpr std::int64_t kStepMs = 50;
constexpr std::int64_t kTellMs = 1'000;        // on a terminal, over the line before
constexpr std::int64_t kTellSeldomMs = 5'000;  // elsewhere

std::vector<std::string> other_regions(const cli::Deployment& deployment,
                                       const std::string& source) {
  std::vector<std::string> out;
  for (const auto& region : deployment.regions)
    if (region.name != source) out.push_back(region.name);
  return out;
}

}  // namespace

Replicate::Replicate(const cli::Deployment& deployment, const ReplicateOptions& options)
    : deployment_(deployment), options_(options), run_(std::to_string(clock_.wall_ms())) {
  if (options_.source.empty()) options_.source = deployment_.regions.front().name;
  (void)deployment_.region(options_.source);
  for (const auto& sink : options_.sinks) {
    (void)deployment_.region(sink);
    if (sink == options_.source)
      throw cli::UsageError("replication leads from one region to another; --to names " + sink);
  }
  find_table();
}

// The load first: it tells the probers of its samples.
Replicate::~Replicate() { load_.reset(); }

void Replicate::find_table() {
  const auto& source = deployment_.region(options_.source);
  cli::TableApi api(source.table, source.name);
  auto table = cli::describe(api, options_.table);
  if (options_.table == kTable) {
    cli::CreateOptions create;
    create.name = kTable;
    create.key = "id:S";
    create.regions = options_.sinks.empty() ? other_regions(deployment_, source.name)
                                            : options_.sinks;
    create.regions.insert(create.regions.begin(), source.name);
    create.if_missing = true;
    cli::make_table(deployment_, create);
    table = cli::describe(api, options_.table);
  }
  if (!table)
    throw cli::UsageError("there is no table " + options_.table + " in " + source.name +
                          "; without --table it is " + kTable + ", which is made");
  auto replicas = cli::replicas_of(*table);
  if (options_.sinks.empty())
    for (const auto& region : other_regions(deployment_, source.name))
      if (replicas.contains(region)) options_.sinks.push_back(region);
  if (options_.sinks.empty())
    throw cli::UsageError(options_.table + " has no replica in another region");
  for (const auto& sink : options_.sinks)
    if (!replicas.contains(sink))
      throw cli::UsageError(options_.table + " has no replica in " + sink);
  requests_ = std::make_unique<Requests>(*table, run_, options_.item_bytes,
                                         options_.load.work.seed);
}

void Replicate::run() {
  load_ = std::make_unique<Load>(
      deployment_.region(options_.source), options_.load, *requests_, clock_,
      [this](const Sample& sample) {
        for (const auto& prober : probers_) prober->add(sample);
      });
  load_->connect();
  std::int64_t began_us = clock_.monotonic_us();
  for (const auto& sink : options_.sinks)
    probers_.push_back(std::make_unique<Prober>(deployment_.region(sink), *requests_, clock_,
                                                began_us));
  cli::Interrupts interrupts;
  load_->start(began_us);
  int ends = 0;
  auto step = [&] {
    cli::pause_ms(kStepMs);
    tell();
    if (interrupts.count() > 0 && ends == 0) {
      ends = 1;
      interrupted_ = true;
      load_->end_now();
      cli::progress(std::string(told_on_terminal_ ? "\n" : "") +
                    "ending; Ctrl-C again does not wait for what is on its way");
    }
    return interrupts.count() < 2;
  };
  while (!load_->finished() && step()) {
  }
  load_->end_now();
  load_->give_up_unsent();
  std::int64_t deadline_ms = clock_.monotonic_ms() + options_.settle_ms;
  while (waiting() > 0 && clock_.monotonic_ms() < deadline_ms && step()) {
  }
  for (const auto& prober : probers_) prober->end();
  if (told_on_terminal_) cli::progress("");
}

std::size_t Replicate::waiting() const {
  std::size_t most = 0;
  for (const auto& prober : probers_) most = std::max(most, prober->waiting());
  return most;
}

void Replicate::tell() {
  bool terminal = ::isatty(STDERR_FILENO) == 1;
  std::int64_t now_ms = clock_.monotonic_ms();
  if (told_ms_ == 0) told_ms_ = now_ms;
  if (now_ms - told_ms_ < (terminal ? kTellMs : kTellSeldomMs)) return;
  told_ms_ = now_ms;
  std::string line = progress_line(summary(), waiting());
  if (!terminal) {
    cli::progress(line);
    return;
  }
  told_on_terminal_ = true;
  std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
  std::fflush(stderr);
}

Summary Replicate::summary() const {
  Summary out;
  out.table = options_.table;
  out.source = options_.source;
  out.run = run_;
  out.open_loop = options_.load.per_second > 0;
  out.per_second = options_.load.per_second;
  out.connections = options_.load.connections;
  out.interrupted = interrupted_;
  out.writes = load_->tally();
  out.requested = load_->requested();
  out.samples = load_->samples();
  out.unanswered = load_->unanswered();
  out.seconds = static_cast<double>(std::max(load_->length_us(), out.writes.last_us)) / 1e6;
  for (const auto& prober : probers_) out.sinks.push_back(prober->tally());
  return out;
}

}  // namespace meridian::replicate
