#include "tests/sim/shrink.h"

#include <algorithm>

#include "tests/sim/shape_fields.h"

namespace meridian::sim {
namespace {

class Shrinker {
 public:
  Shrinker(Script script, const std::function<bool(const Script&)>& fails,
           const ShrinkLimits& limits)
      : best_(std::move(script)), fails_(fails), limits_(limits) {}

  Shrunk run() {
    for (bool shorter = true; shorter && !spent();) {
      shorter = drop_events();
      shorter |= drop_regions();
      shorter |= make_plain();
      shorter |= end_early();
    }
    return {std::move(best_), tries_};
  }

 private:
  [[nodiscard]] bool spent() const { return tries_ >= limits_.tries_max; }

  bool keep_if_fails(Script candidate) {
    if (spent()) return false;
    ++tries_;
    if (!fails_(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }

  bool drop_events() {
    bool shorter = false;
    std::size_t piece = std::max<std::size_t>(best_.events.size() / 2, 1);
    while (!best_.events.empty() && !spent()) {
      bool dropped = false;
      for (std::size_t at = 0; at < best_.events.size() && !spent();) {
        Script candidate = best_;
        auto from = candidate.events.begin() + static_cast<std::ptrdiff_t>(at);
        std::size_t size = std::min(piece, candidate.events.size() - at);
        candidate.events.erase(from, from + static_cast<std::ptrdiff_t>(size));
        if (keep_if_fails(std::move(candidate))) {
          dropped = true;
        } else {
          at += piece;
        }
      }
      shorter |= dropped;
      if (piece == 1 && !dropped) break;
      piece = std::max<std::size_t>(piece / 2, 1);
    }
    return shorter;
  }

  // Takes the last region away, and whatever happens in it.
  bool drop_regions() {
    bool shorter = false;
    while (best_.shape.regions.size() > 2 && !spent()) {
      std::size_t left = best_.shape.regions.size() - 1;
      Script candidate = best_;
      candidate.shape.regions.resize(left);
      candidate.shape.links.resize(left * left);
      for (std::size_t from = 0; from < left; ++from)
        for (std::size_t to = 0; to < left; ++to)
          candidate.shape.link(from, to) = best_.shape.link(from, to);
      std::erase_if(candidate.events, [left](const Event& event) {
        bool cut = event.kind == EventKind::cut;
        return event.region() >= left || (cut && static_cast<std::size_t>(event.args[1]) >= left);
      });
      if (!keep_if_fails(std::move(candidate))) return shorter;
      shorter = true;
    }
    return shorter;
  }

  // All fields at once, else one by one.
  bool make_plain() {
    Script candidate = best_;
    candidate.shape = plain_shape(best_.shape.seed, best_.shape.regions.size());
    candidate.shape.load.keys = best_.shape.load.keys;
    candidate.shape.storm_ms = best_.shape.storm_ms;
    if (to_text(candidate) == to_text(best_)) return false;
    if (keep_if_fails(candidate)) return true;
    std::vector<std::int64_t> plain;
    visit_fields(candidate.shape, [&](const std::string&, auto& value) {
      plain.push_back(static_cast<std::int64_t>(value));
    });
    bool shorter = false;
    for (std::size_t field = 0; field < plain.size() && !spent(); ++field) {
      Script one = best_;
      std::size_t at = 0;
      bool differs = false;
      visit_fields(one.shape, [&](const std::string&, auto& value) {
        if (at++ != field) return;
        differs = static_cast<std::int64_t>(value) != plain[field];
        value = static_cast<std::remove_reference_t<decltype(value)>>(plain[field]);
      });
      if (differs) shorter |= keep_if_fails(std::move(one));
    }
    return shorter;
  }

  // The storm ends after its last event.
  bool end_early() {
    std::int64_t last_ms = best_.events.empty() ? 0 : best_.events.back().at_us / 1000 + 1;
    if (last_ms >= best_.shape.storm_ms) return false;
    Script candidate = best_;
    candidate.shape.storm_ms = last_ms;
    return keep_if_fails(std::move(candidate));
  }

  Script best_;
  const std::function<bool(const Script&)>& fails_;
  ShrinkLimits limits_;
  std::size_t tries_ = 0;
};

}  // namespace

Shrunk shrink(Script script, const std::function<bool(const Script&)>& fails,
              const ShrinkLimits& limits) {
  return Shrinker(std::move(script), fails, limits).run();
}

}  // namespace meridian::sim
