#include "tools/meridian/output.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace meridian::cli {
namespace {

// Characters on the screen: bytes but for UTF-8 continuations and colour codes.
std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
      ++width;
    }
  }
  return width;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '_') c = ' ';
  }
  return out;
}

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (char c : field) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out.push_back(',');
    out += csv_field(fields[i]);
  }
  return out + "\n";
}

}  // namespace

std::string as_text(const Table& table) {
  std::vector<std::vector<std::string>> lines;
  std::vector<std::string> head;
  for (const auto& column : table.columns) head.push_back(upper(column));
  lines.push_back(std::move(head));
  lines.insert(lines.end(), table.rows.begin(), table.rows.end());
  std::vector<std::size_t> widths(table.columns.size(), 0);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      out += line[i];
      if (i + 1 < line.size()) out.append(widths[i] - width_of(line[i]) + 2, ' ');
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out.push_back('\n');
  }
  return out;
}

std::string as_csv(const Table& table) {
  std::string out = csv_line(table.columns);
  for (const auto& row : table.rows) out += csv_line(row);
  return out;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void progress(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fputc('\n', stderr);
}

bool to_terminal() { return isatty(STDOUT_FILENO) == 1; }

std::string coloured(const std::string& word, Mood mood) {
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): one thread
  if (!to_terminal() || (no_color != nullptr && *no_color != '\0')) return word;
  const char* code = mood == Mood::good ? "32" : mood == Mood::uneasy ? "33" : "31";
  return std::string("\x1b[") + code + "m" + word + "\x1b[0m";
}

std::string file_for(const std::string& path, const std::string& name) {
  auto slash = path.rfind('/');
  auto dot = path.rfind('.');
  std::size_t name_at = slash == std::string::npos ? 0 : slash + 1;
  bool extension = dot != std::string::npos && dot > name_at;
  if (!extension) return path + "-" + name;
  return path.substr(0, dot) + "-" + name + path.substr(dot);
}

std::string with_separators(std::int64_t value) {
  std::string digits = std::to_string(value < 0 ? -value : value);
  std::string out = value < 0 ? "-" : "";
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string readable_ms(double ms) {
  char text[48];
  if (std::fabs(ms) < 0.05) ms = 0;  // not "-0.0"
  double size = std::fabs(ms);
  if (size < 100) {
    std::snprintf(text, sizeof text, "%.1f ms", ms);
  } else if (size < 10'000) {
    std::snprintf(text, sizeof text, "%.0f ms", ms);
  } else if (size < 120'000) {
    std::snprintf(text, sizeof text, "%.1f s", ms / 1000);
  } else if (size < 7'200'000) {
    std::snprintf(text, sizeof text, "%.0f min", ms / 60'000);
  } else {
    std::snprintf(text, sizeof text, "%.1f h", ms / 3'600'000);
  }
  return text;
}

}  // namespace meridian::cli
