// What the libFuzzer targets share.
//
// A target gives one input to the code under test and ends the process where a property does not hold;
// libFuzzer then keeps the input.  Crashes, leaks and undefined behaviour are the sanitizers' part.
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace meridian::fuzz {

// Each target's own.
void run(std::string_view input);

// Ends the run unless `holds`; `what` says what should have been.
inline void expect(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

// Takes what comes before the next `mark` off the front, and the mark; everything when there is none.
inline std::string_view take_until(std::string_view& in, char mark) {
  auto end = in.find(mark);
  auto taken = in.substr(0, end);
  in.remove_prefix(end == std::string_view::npos ? in.size() : end + 1);
  return taken;
}

// Takes one byte off the front; 0 when there is none.
inline std::uint8_t take_byte(std::string_view& in) {
  if (in.empty()) return 0;
  auto byte = static_cast<std::uint8_t>(in.front());
  in.remove_prefix(1);
  return byte;
}

}  // namespace meridian::fuzz
