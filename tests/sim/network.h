// Network: carries messages between regions, badly.  Each directed link has a delay with jitter and a
// heavy tail, loses, duplicates and reorders messages, and can be cut or paused.
//
// A message is an action that runs at the far end: never, once or several times, perhaps long after
// a newer one.  A duplicate may arrive seconds late, as a request does that outlived its connection.
// Threads: one.  Borrows: the EventQueue and the Trace.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/sim/derived.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/trace.h"

namespace meridian::sim {

struct LinkShape {
  std::int64_t delay_us = 20'000;
  std::int64_t jitter_us = 2'000;
  unsigned tail_percent = 0;  // messages that take up to ten times as long
  unsigned loss_percent = 0;
  unsigned duplicate_percent = 0;
  unsigned reorder_percent = 0;  // messages that may overtake others
};

class Network {
 public:
  Network(EventQueue& queue, Trace& trace, std::uint64_t seed, std::size_t regions);

  void shape(std::size_t from, std::size_t to, const LinkShape& shape) {
    link(from, to).shape = shape;
  }
  void cut(std::size_t from, std::size_t to);
  void join(std::size_t from, std::size_t to);
  // A link that is paused on purpose: messages pass, but what is done under open() waits for its end.
  void pause(std::size_t from, std::size_t to);
  void resume(std::size_t from, std::size_t to);
  [[nodiscard]] bool is_paused(std::size_t from, std::size_t to) const {
    return links_[from * regions_ + to].paused;
  }
  // Runs it now, or when the link is no longer paused.
  void open(std::size_t from, std::size_t to, std::function<void()> action);
  // Joins all links and takes their loss, duplicates and tails away; what is under way still arrives.
  void heal();
  [[nodiscard]] bool is_cut(std::size_t from, std::size_t to) const {
    return links_[from * regions_ + to].cut;
  }

  // Runs `deliver` at the far end, if the link is so kind.  Within one region: at once, always.
  void send(std::size_t from, std::size_t to, std::function<void()> deliver);

 private:
  struct Link {
    LinkShape shape;
    bool cut = false;
    bool paused = false;
    std::vector<std::function<void()>> waiting;  // for the end of the pause
    std::int64_t last_us = 0;  // arrival of the newest message that kept its place
    std::int64_t sent_us = -1;    // when the newest was sent, and how many then
    std::uint64_t sent_then = 0;
  };
  Link& link(std::size_t from, std::size_t to) { return links_[from * regions_ + to]; }
  std::int64_t arrival_us(Link& link, Rng& rng);
  // What befalls the next message: a function of link and moment.
  Rng luck(std::size_t from, std::size_t to);
  void arrive(std::int64_t at_us, std::size_t from, std::size_t to, std::function<void()> deliver);

  EventQueue& queue_;
  Trace& trace_;
  std::uint64_t seed_;
  std::size_t regions_;
  std::vector<Link> links_;
};

}  // namespace meridian::sim
