// What the commands print: one Table, as aligned text for people, or as JSON or CSV for programs.
// Results go to standard output, progress and problems to standard error.
//
// Threads: one.  Colour only on a terminal, and not when NO_COLOR is set (no-color.org).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::cli {

enum class Format { table, json, csv };

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

// Aligned columns with the names in capitals; the last column is not padded.
std::string as_text(const Table& table);
// RFC 4180, with a line of names.
std::string as_csv(const Table& table);

void print(const std::string& text);     // standard output
void progress(const std::string& line);  // standard error, a line of its own
[[nodiscard]] bool to_terminal();        // standard output is one
// The word in green, yellow or red for people, else as it is.
enum class Mood { good, uneasy, bad };
std::string coloured(const std::string& word, Mood mood);

// `path` with `name` before its extension: out/lag.hgrm -> out/lag-NAME.hgrm.
std::string file_for(const std::string& path, const std::string& name);

// 12345 -> "12,345"; 12.3 ms -> "12.3"; 4'200 ms -> "4.2 s".
std::string with_separators(std::int64_t value);
std::string readable_ms(double ms);

}  // namespace meridian::cli
