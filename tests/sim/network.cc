#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

namespace meridian::sim {
namespace {

constexpr std::int64_t kLocalDelayUs = 60;
constexpr std::int64_t kLateDuplicateUsMax = 3'000'000;

}  // namespace

Network::Network(EventQueue& queue, Trace& trace, std::uint64_t seed, std::size_t regions)
    : queue_(queue), trace_(trace), seed_(seed), regions_(regions), links_(regions * regions) {}

void Network::cut(std::size_t from, std::size_t to) {
  link(from, to).cut = true;
  trace_.note("link {}->{} cut", from, to);
}

void Network::join(std::size_t from, std::size_t to) {
  link(from, to).cut = false;
  trace_.note("link {}->{} joined", from, to);
}

void Network::pause(std::size_t from, std::size_t to) {
  link(from, to).paused = true;
  trace_.note("link {}->{} paused", from, to);
}

void Network::resume(std::size_t from, std::size_t to) {
  link(from, to).paused = false;
  trace_.note("link {}->{} resumed", from, to);
  for (auto& action : std::exchange(link(from, to).waiting, {})) queue_.after(0, std::move(action));
}

void Network::open(std::size_t from, std::size_t to, std::function<void()> action) {
  if (!link(from, to).paused) return action();
  link(from, to).waiting.push_back(std::move(action));
}

void Network::heal() {
  for (std::size_t i = 0; i < links_.size(); ++i)
    if (links_[i].paused) resume(i / regions_, i % regions_);
  for (auto& each : links_) {
    each.cut = false;
    each.shape.loss_percent = 0;
    each.shape.duplicate_percent = 0;
    each.shape.reorder_percent = 0;
    each.shape.tail_percent = 0;
  }
  trace_.note("network healed");
}

Rng Network::luck(std::size_t from, std::size_t to) {
  Link& way = link(from, to);
  if (way.sent_us != queue_.now_us()) way.sent_then = 0;
  way.sent_us = queue_.now_us();
  return derived(seed_, Luck::link, {from, to, luck_of(way.sent_us), way.sent_then++});
}

std::int64_t Network::arrival_us(Link& link, Rng& rng) {
  const LinkShape& shape = link.shape;
  std::int64_t delay = shape.delay_us;
  if (shape.jitter_us > 0) delay += rng.between(0, shape.jitter_us);
  if (rng.percent(shape.tail_percent)) delay *= rng.between(2, 10);
  std::int64_t at = queue_.now_us() + delay;
  if (rng.percent(shape.reorder_percent)) return at;
  link.last_us = std::max(link.last_us, at);
  return link.last_us;
}

void Network::send(std::size_t from, std::size_t to, std::function<void()> deliver) {
  if (from == to) {
    queue_.after(kLocalDelayUs, std::move(deliver));
    return;
  }
  Link& way = link(from, to);
  Rng rng = luck(from, to);
  if (way.cut || rng.percent(way.shape.loss_percent)) {
    trace_.note("lost {}->{}", from, to);
    return;
  }
  if (rng.percent(way.shape.duplicate_percent)) {
    std::int64_t late = rng.percent(50) ? rng.between(0, kLateDuplicateUsMax) : 0;
    trace_.note("duplicate {}->{} late {} us", from, to, late);
    arrive(queue_.now_us() + way.shape.delay_us + late, from, to, deliver);
  }
  arrive(arrival_us(way, rng), from, to, std::move(deliver));
}

void Network::arrive(std::int64_t at_us, std::size_t from, std::size_t to,
                     std::function<void()> deliver) {
  queue_.at(at_us, [this, from, to, deliver = std::move(deliver)] {
    if (link(from, to).cut) {
      trace_.note("lost in flight {}->{}", from, to);
      return;
    }
    deliver();
  });
}

}  // namespace meridian::sim
