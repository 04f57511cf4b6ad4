#include "tools/meridian/replicate/load.h"

#include <algorithm>
#include <cmath>

#include "tools/meridian/commands.h"
#include "tools/meridian/replicate/errors.h"

namespace meridian::replicate {
namespace {

constexpr std::int64_t kSliceUs = 20'000;  // how long a connection sleeps without looking up
constexpr std::int64_t kRetryUs = 50'000;  // of a closed loop, after a write without an answer

std::optional<Schedule> schedule_of(const LoadOptions& options) {
  if (options.per_second == 0) return std::nullopt;
  return Schedule(options.per_second);
}

}  // namespace

Load::Load(const cli::Endpoints& region, const LoadOptions& options, const Requests& requests,
           const Clock& clock, std::function<void(const Sample&)> sampled)
    : region_(region),
      options_(options),
      requests_(requests),
      clock_(clock),
      sampled_(std::move(sampled)),
      workload_(options.work),
      schedule_(schedule_of(options)) {}

Load::~Load() {
  end_now();
  for (auto& thread : threads_) thread.join();
}

void Load::connect() {
  for (unsigned i = 0; i < options_.connections; ++i) {
    connections_.push_back(
        std::make_unique<cli::TableApi>(region_.table, region_.name, options_.timeout_ms));
    connections_.back()->call("ListTables", {{"Limit", 1}});
  }
}

void Load::start(std::int64_t began_us) {
  began_us_ = began_us;
  end_us_ = options_.duration_ms * 1000;
  give_up_us_ = end_us_ + options_.timeout_ms * 1000;
  running_ = options_.connections;
  for (auto& api : connections_)
    threads_.emplace_back([this, &api = *api] {
      run(api);
      --running_;
    });
}

void Load::end_now() {
  std::int64_t now = now_us();
  end_us_ = std::min<std::int64_t>(end_us_, now);
  give_up_us_ = std::min<std::int64_t>(give_up_us_, now);
}

void Load::give_up_unsent() {
  if (!schedule_) return;
  std::int64_t now = now_us();
  std::uint64_t due = schedule_->due_before(end_us_);
  std::lock_guard lock(mutex_);
  while (next_ < due) tally_.give_up(schedule_->due_us(next_++), now);
}

WriteTally Load::tally() const {
  std::lock_guard lock(mutex_);
  return tally_;
}

std::int64_t Load::length_us() const { return std::min<std::int64_t>(now_us(), end_us_); }

std::uint64_t Load::requested() const {
  if (schedule_) return schedule_->due_before(length_us());
  return tally().sent() + under_way_;
}

void Load::run(cli::TableApi& api) {
  for (;;) {
    std::uint64_t number = next_++;
    std::int64_t due_us = schedule_ ? schedule_->due_us(number) : now_us();
    if (!wait_for(due_us)) return;
    if (std::int64_t now = now_us(); schedule_ && now >= give_up_us_) {
      std::lock_guard lock(mutex_);
      tally_.give_up(due_us, now);
      return;
    }
    send(api, number, due_us);
  }
}

// False when the load ends before.
bool Load::wait_for(std::int64_t due_us) const {
  for (;;) {
    if (due_us >= end_us_) return false;
    std::int64_t left_us = due_us - now_us();
    if (left_us <= 0) return true;
    cli::pause_us(std::min(left_us, kSliceUs));
  }
}

bool Load::is_sample(std::uint64_t number, std::int64_t due_us) {
  if (options_.samples_per_second <= 0) return false;
  if (schedule_) {
    double every = std::round(options_.per_second / options_.samples_per_second);
    return number % static_cast<std::uint64_t>(std::max(1.0, every)) == 0;
  }
  std::int64_t next = next_sample_us_;
  auto every_us = static_cast<std::int64_t>(1e6 / options_.samples_per_second);
  return due_us >= next && next_sample_us_.compare_exchange_strong(next, due_us + every_us);
}

void Load::send(cli::TableApi& api, std::uint64_t number, std::int64_t due_us) {
  auto write = workload_.at(number);
  bool sample = is_sample(number, due_us);
  Request request = sample ? requests_.sample(number) : requests_.write(number, write);
  Answer answer;
  answer.kind = sample ? Kind::put : write.kind;
  answer.due_us = due_us;
  ++under_way_;
  answer.sent_us = now_us();
  try {
    api.call(request.operation, request.body);
    answer.status = 200;
  } catch (const std::exception& failure) {
    Failure kind = kind_of(failure);
    answer.status = kind.status;
    answer.error = kind.error;
  }
  answer.answered_us = now_us();
  if (!schedule_) answer.due_us = answer.sent_us;
  {
    std::lock_guard lock(mutex_);
    --under_way_;
    tally_.add(answer);
  }
  if (sample && answer.error.empty()) {
    ++samples_;
    sampled_({number, answer.due_us, answer.answered_us});
  }
  if (!schedule_ && answer.status == 0) cli::pause_us(kRetryUs);
}

}  // namespace meridian::replicate
