// Trace: what happened in a run, as a hash always and as text when asked for.  Two runs of a seed are
// the same run when their hashes are equal.
//
// Threads: one.  Borrows: the EventQueue and the stream.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <ostream>
#include <string_view>

#include "common/bytes.h"
#include "tests/sim/event_queue.h"

namespace meridian::sim {

class Trace {
 public:
  // `out` may be null: then nothing is formatted, which is what makes runs fast.
  Trace(const EventQueue& queue, std::ostream* out) : queue_(queue), out_(out) {}

  template <typename... Args>
  void note(fmt::format_string<Args...> text, Args&&... args) {
    fmt::string_view shape = text;
    mix(static_cast<std::uint64_t>(queue_.now_us()));
    mix(std::string_view(shape.data(), shape.size()));
    (mix(args), ...);
    if (out_ != nullptr) print(fmt::format(text, std::forward<Args>(args)...));
  }

  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  template <std::integral T>
  void mix(T value) {
    hash_ = (hash_ ^ static_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15ULL;
    hash_ ^= hash_ >> 32;
  }
  void mix(std::string_view text) { mix(hash64(text)); }
  void print(const std::string& line);

  const EventQueue& queue_;
  std::ostream* out_;
  std::uint64_t hash_ = 0x4d455249444941ULL;
};

}  // namespace meridian::sim
