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

}  // namespace meridian::cli
