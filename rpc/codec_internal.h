// Helpers shared by the codec's source files: bounded text and data, and copies into builders.
// Threads: any.
#pragma once

#include <capnp/blob.h>
#include <fmt/format.h>

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/codec.h"

namespace meridian::rpc::internal {

inline void require(bool fine, std::string_view what) {
  if (!fine) throw CodecError(fmt::format("malformed message: {}", what));
}

inline std::string text_of(capnp::Text::Reader in, std::size_t bytes_max, std::string_view field) {
  require(in.size() <= bytes_max, field);
  return {in.cStr(), in.size()};
}

inline Bytes bytes_of(capnp::Data::Reader in, std::size_t bytes_max, std::string_view field) {
  require(in.size() <= bytes_max, field);
  return {reinterpret_cast<const char*>(in.begin()), in.size()};
}

inline void copy_to(capnp::Text::Builder out, std::string_view text) {
  if (!text.empty()) std::memcpy(out.begin(), text.data(), text.size());
}
inline void copy_to(capnp::Data::Builder out, BytesView bytes) {
  if (!bytes.empty()) std::memcpy(out.begin(), bytes.data(), bytes.size());
}

conflict::Context read_context(capnp::List<wire::ContextEntry>::Reader in);
// `out` has room for every entry.
void write_context(const conflict::Context& value, capnp::List<wire::ContextEntry>::Builder out);

// Watermarks, and names of regions; at most kReplicasMax of either.
std::map<RegionId, conflict::Hlc> read_marks(capnp::List<wire::Watermark>::Reader in);
void write_marks(const std::map<RegionId, conflict::Hlc>& values,
                 capnp::List<wire::Watermark>::Builder out);
std::set<RegionId> read_names(capnp::List<capnp::Text>::Reader in);
void write_names(const std::set<RegionId>& values, capnp::List<capnp::Text>::Builder out);

// One for each shard of a log; at most kRepairShardsMax.
std::vector<LogPosition> read_positions(capnp::List<wire::LogPosition>::Reader in);
void write_positions(const std::vector<LogPosition>& values,
                     capnp::List<wire::LogPosition>::Builder out);

inline unsigned count_of(std::size_t count) { return static_cast<unsigned>(count); }

}  // namespace meridian::rpc::internal
