// What faults on purpose mean for bytes on a link, without a clock, a socket or a thread.
//
// A Fault is one thing done to a link (what region A sends to region B) for a stated time.  FaultPlan
// is what holds on one link now: one fault of each kind at most.  A Lane is one direction of one
// connection: bytes go in in order, and next() says how many of them may leave, and when to ask again.
//
// Threads: one owner.  Times are microseconds on any clock that does not go back, given by the caller.
// Limits: the constants below; problem_of() names the one that a fault breaks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/rng.h"

namespace meridian::rpc {

// In the order of how much they hide of the others.
enum class FaultKind : std::uint8_t {
  delay,  // every byte takes longer, each way, by delay_ms give or take jitter_ms; order is kept
  lose,   // of a thousand segments, each way, so many are lost; what a stream shows of that: bytes
          // stop until the segment is sent again
  limit,  // at most bytes_per_second, each way, over all connections of the link
  pause,  // nothing is shipped; connections live and heartbeats go on
  cut,    // no byte moves and no dial succeeds, without a word, as in a partition
};
inline constexpr std::array kFaultKinds{FaultKind::delay, FaultKind::lose, FaultKind::limit,
                                        FaultKind::pause, FaultKind::cut};

struct Fault {
  FaultKind kind = FaultKind::cut;
  std::int64_t for_ms = 0;
  std::int64_t delay_ms = 0;          // delay
  std::int64_t jitter_ms = 0;         // delay; not above delay_ms
  std::int64_t bytes_per_second = 0;  // limit
  std::int64_t lost_permille = 0;     // lose
  bool operator==(const Fault&) const = default;
};

inline constexpr std::int64_t kFaultMsMax = 24 * 3600 * 1000;
inline constexpr std::int64_t kDelayMsMax = 60'000;
inline constexpr std::int64_t kLostPermilleMax = 500;
inline constexpr std::int64_t kBytesPerSecondMin = 1'000;
inline constexpr std::int64_t kBytesPerSecondMax = 100'000'000'000;

// How long bytes written at once wait for that segment of them which is lost most often in a row: it
// is sent again 200 ms later, Linux's shortest time, and each time after twice as long; six times at
// most.  `draw`, one number in [0, 1), decides.
std::int64_t retransmission_us(std::size_t bytes, std::int64_t lost_permille, double draw);

std::string_view fault_kind_name(FaultKind kind);
std::optional<FaultKind> parse_fault_kind(std::string_view name);
// What is wrong with it, for people; empty when nothing is.
std::string problem_of(const Fault& fault);

struct ActiveFault {
  Fault fault;
  std::int64_t ends_us = 0;
};

class FaultPlan {
 public:
  // Takes the place of one of the same kind.  REQUIRES: problem_of(fault) is empty.
  void put(const Fault& fault, std::int64_t now_us);
  // Ends all of them; answers them.
  std::vector<Fault> heal();
  // Ends those whose time is over; answers them.
  std::vector<Fault> expire(std::int64_t now_us);
  [[nodiscard]] std::optional<std::int64_t> next_end_us() const;

  [[nodiscard]] const std::vector<ActiveFault>& active() const { return active_; }
  [[nodiscard]] const Fault* find(FaultKind kind) const;
  [[nodiscard]] bool cut() const { return find(FaultKind::cut) != nullptr; }
  [[nodiscard]] bool paused() const { return find(FaultKind::pause) != nullptr; }
  // Whether bytes may not simply pass.
  [[nodiscard]] bool shapes_bytes() const;

 private:
  std::vector<ActiveFault> active_;  // ascending by kind
};

// Spends a rate; one for each direction of a link.
class TokenBucket {
 public:
  [[nodiscard]] std::int64_t free_us() const { return free_us_; }
  void take(std::size_t bytes, std::int64_t bytes_per_second, std::int64_t now_us);

 private:
  std::int64_t free_us_ = 0;  // when what was taken has been paid for
};

class Lane {
 public:
  // `bytes` 0 is a mark in the order of bytes, such as the end of the stream.
  void push(std::size_t bytes, std::int64_t now_us, Rng& rng);

  struct Next {
    enum class Kind : std::uint8_t { go, wait_until, wait_for_change };
    Kind kind = Kind::wait_for_change;
    std::size_t bytes = 0;    // go: of the first piece
    std::int64_t at_us = 0;   // wait_until: or earlier, if the plan changes
  };
  // REQUIRES: not empty().
  [[nodiscard]] Next next(const FaultPlan& plan, const TokenBucket& bucket,
                          std::int64_t now_us) const;
  // So many bytes of the first piece have left; a piece of which none is left goes.
  // REQUIRES: not empty(), and not more than its bytes.
  void pop(std::size_t bytes);

  [[nodiscard]] bool empty() const { return pieces_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Piece {
    std::size_t bytes;
    std::int64_t entered_us;
    std::int64_t luck;  // -1000 to 1000, its share of the jitter
    double draw;        // of its losses
  };
  std::deque<Piece> pieces_;
  std::size_t bytes_ = 0;
};

}  // namespace meridian::rpc
