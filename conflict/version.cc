#include "conflict/version.h"

#include <cstdio>
#include <ctime>

namespace meridian::conflict {

void encode_version(Bytes& out, const Version& version) {
  put_u64(out, version.hlc.value);
  out.append(version.region.name());
}

Bytes encode_version(const Version& version) {
  Bytes out;
  out.reserve(8 + RegionId::kBytesMax);
  encode_version(out, version);
  return out;
}

std::optional<Version> decode_version(BytesView in) {
  auto hlc = take_u64(in);
  if (!hlc) return std::nullopt;
  auto region = RegionId::parse(in);
  if (!region) return std::nullopt;
  return Version{Hlc{*hlc}, *region};
}

std::string to_text(const Version& version) {
  std::int64_t ms = version.hlc.physical_ms();
  std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[96];
  int size = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ/%u@",
                           utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                           utc.tm_sec, static_cast<int>(ms % 1000),
                           static_cast<unsigned>(version.hlc.logical()));
  return std::string(text, static_cast<std::size_t>(size)).append(version.region.name());
}

std::optional<Version> version_from_text(std::string_view text) {
  std::string copy(text);
  auto mark = copy.find('@');
  if (mark == std::string::npos) return std::nullopt;
  auto region = RegionId::parse(std::string_view(copy).substr(mark + 1));
  std::tm utc{};
  int ms = 0;
  unsigned logical = 0;
  int fields = std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ/%5u@", &utc.tm_year,
                           &utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &ms,
                           &logical);
  if (!region || fields != 8 || logical > 0xffff) return std::nullopt;
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  std::int64_t physical_ms = std::int64_t{timegm(&utc)} * 1000 + ms;
  if (physical_ms < 0) return std::nullopt;
  Version version{Hlc{Hlc::at_ms(physical_ms).value + logical}, *region};
  if (to_text(version) != text) return std::nullopt;
  return version;
}

}  // namespace meridian::conflict
