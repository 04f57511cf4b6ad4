#include "tools/meridian/times.h"

#include <charconv>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <string_view>

#include "tools/meridian/deployment.h"

namespace meridian::cli {
namespace {

std::optional<std::int64_t> ago_ms(const std::string& text) {
  static const std::map<std::string, std::int64_t> kUnits = {
      {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  std::int64_t value = 0;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  auto unit = kUnits.find(std::string(parsed.ptr, text.data() + text.size()));
  if (parsed.ec != std::errc{} || unit == kUnits.end() || value < 0 || value > 1'000'000)
    return std::nullopt;
  return value * unit->second;
}

std::optional<std::int64_t> moment_ms(const std::string& text) {
  for (const char* form : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    std::tm utc{};
    const char* rest = strptime(text.c_str(), form, &utc);
    if (rest == nullptr) continue;
    std::int64_t ms = 0;
    std::string_view end(rest);
    if (end.size() == 5 && end.front() == '.') {
      auto parsed = std::from_chars(rest + 1, rest + 4, ms);
      if (parsed.ec != std::errc{} || parsed.ptr != rest + 4) continue;
      end.remove_prefix(4);
    }
    if (!end.empty() && end != "Z") continue;
    return std::int64_t{timegm(&utc)} * 1000 + ms;
  }
  return std::nullopt;
}

}  // namespace

std::int64_t parse_time_ms(const std::string& flag, const std::string& text, std::int64_t now_ms) {
  if (auto ago = ago_ms(text)) return now_ms - *ago;
  if (auto moment = moment_ms(text)) return *moment;
  throw UsageError(flag + " must be a time such as 2026-11-25T03:27:14Z or 2026-11-25 (UTC), or so "
                   "long ago, such as 10m or 2h; not '" + text + "'");
}

std::string time_text_us(std::int64_t wall_us) {
  std::time_t seconds = wall_us / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[96];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(wall_us / 1000 % 1000));
  return text;
}

}  // namespace meridian::cli
