#include "tools/meridian/quantity.h"

#include <charconv>
#include <map>
#include <optional>

#include "tools/meridian/deployment.h"

namespace meridian::cli {
namespace {

using Units = std::map<std::string, std::int64_t>;

// A whole number of at most seven digits and a unit.
std::optional<std::int64_t> parse(const std::string& text, const Units& units) {
  std::int64_t value = 0;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  auto unit = units.find(std::string(parsed.ptr, text.data() + text.size()));
  bool fits = parsed.ec == std::errc{} && unit != units.end() && value >= 0 && value <= 9'999'999;
  if (!fits) return std::nullopt;
  return value * unit->second;
}

}  // namespace

std::int64_t parse_ms(const std::string& flag, const std::string& text) {
  static const Units kUnits = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}};
  if (auto ms = parse(text, kUnits)) return *ms;
  throw UsageError(flag + " must be a duration such as 500ms, 5s or 2m, not '" + text + "'");
}

std::int64_t parse_rate(const std::string& flag, const std::string& text) {
  static const Units kUnits = {{"", 1},
                               {"B/s", 1},
                               {"kB/s", 1000},
                               {"KiB/s", 1 << 10},
                               {"MB/s", 1'000'000},
                               {"MiB/s", 1 << 20},
                               {"GB/s", 1'000'000'000}};
  if (auto rate = parse(text, kUnits)) return *rate;
  throw UsageError(flag + " must be a rate such as 500kB/s or 1MB/s, not '" + text + "'");
}

std::int64_t parse_permille(const std::string& flag, const std::string& text) {
  static const Units kTenths = {{"%", 1}};
  static const Units kWhole = {{"%", 10}};
  auto point = text.find('.');
  auto whole = parse(point == std::string::npos ? text : text.substr(0, point) + "%", kWhole);
  auto tenths = point == std::string::npos ? 0 : parse(text.substr(point + 1), kTenths);
  if (whole && tenths && *tenths < 10) return *whole + *tenths;
  throw UsageError(flag + " must be a share such as 2% or 0.5%, not '" + text + "'");
}

}  // namespace meridian::cli
