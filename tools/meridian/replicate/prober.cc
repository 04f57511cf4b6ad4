#include "tools/meridian/replicate/prober.h"

#include <algorithm>
#include <set>

#include "tools/meridian/commands.h"
#include "tools/meridian/replicate/errors.h"

namespace meridian::replicate {
namespace {

constexpr std::int64_t kPollUs = 1'000;
constexpr std::int64_t kProbeRetryUs = 20'000;  // after a look that failed
constexpr std::int64_t kLookMsMax = 2'000;

}  // namespace

Prober::Prober(const cli::Endpoints& region, const Requests& requests, const Clock& clock,
               std::int64_t began_us)
    : requests_(requests),
      clock_(clock),
      began_us_(began_us),
      api_(region.table, region.name, kLookMsMax) {
  tally_.region = region.name;
  thread_ = std::thread([this] { run(); });
}

Prober::~Prober() {
  end();
  thread_.join();
}

void Prober::add(const Sample& sample) {
  std::lock_guard lock(mutex_);
  if (!ended_) missing_.push_back(sample);
}

std::size_t Prober::waiting() const {
  std::lock_guard lock(mutex_);
  return missing_.size();
}

void Prober::end() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  for (const auto& sample : missing_) tally_.give_up(sample, now_us());
  missing_.clear();
}

SinkTally Prober::tally() const {
  std::lock_guard lock(mutex_);
  return tally_;
}

// The first of those that are missing, which then go to the end.
std::vector<Sample> Prober::next_look() {
  std::lock_guard lock(mutex_);
  auto count = static_cast<std::ptrdiff_t>(std::min(missing_.size(), Requests::kLookMax));
  std::vector<Sample> out(missing_.begin(), missing_.begin() + count);
  std::rotate(missing_.begin(), missing_.begin() + count, missing_.end());
  return out;
}

void Prober::look(const std::vector<Sample>& samples) {
  auto answer = api_.call("BatchGetItem", requests_.look(samples));
  std::int64_t at_us = now_us();
  std::set<std::uint64_t> seen;
  for (auto number : requests_.seen(answer)) seen.insert(number);
  std::lock_guard lock(mutex_);
  ++tally_.reads;
  std::erase_if(missing_, [&](const Sample& sample) {
    if (!seen.contains(sample.number)) return false;
    tally_.see(sample, at_us);
    return true;
  });
}

void Prober::run() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
    }
    auto samples = next_look();
    std::int64_t rest_us = kPollUs;
    try {
      if (!samples.empty()) look(samples);
    } catch (const std::exception& failure) {
      rest_us = kProbeRetryUs;
      std::lock_guard lock(mutex_);
      ++tally_.reads;
      ++tally_.errors[kind_of(failure).error];
    }
    cli::pause_us(rest_us);
  }
}

}  // namespace meridian::replicate
