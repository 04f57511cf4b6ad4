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

}  // namespace meridian::conflict
