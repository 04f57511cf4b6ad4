#include <poll.h>

#include "tools/meridian/commands.h"

namespace meridian::cli {

void print_result(Format format, const Table& table, const std::string& json_text) {
  switch (format) {
    case Format::table: print(as_text(table)); break;
    case Format::csv: print(as_csv(table)); break;
    case Format::json: print(json_text + "\n"); break;
  }
}

void pause_ms(std::int64_t ms) { ::poll(nullptr, 0, static_cast<int>(ms)); }

void pause_us(std::int64_t us) {
  if (us <= 0) return;
  timespec length{us / 1'000'000, us % 1'000'000 * 1000};
  ::ppoll(nullptr, 0, &length, nullptr);
}

}  // namespace meridian::cli
