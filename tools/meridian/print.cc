#include <poll.h>

#include <algorithm>
#include <limits>

#include "tools/meridian/commands.h"

namespace meridian::cli {

void print_result(Format format, const Table& table, const std::string& json_text) {
  switch (format) {
    case Format::table: print(as_text(table)); break;
    case Format::csv: print(as_csv(table)); break;
    case Format::json: print(json_text + "\n"); break;
  }
}

// (poll() takes a negative time for ever, and a late caller may ask for one.)
void pause_ms(std::int64_t ms) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  if (ms > 0) ::poll(nullptr, 0, static_cast<int>(std::min(ms, kMost)));
}

void pause_us(std::int64_t us) {
  if (us <= 0) return;
  timespec length{us / 1'000'000, us % 1'000'000 * 1000};
  ::ppoll(nullptr, 0, &length, nullptr);
}

}  // namespace meridian::cli
