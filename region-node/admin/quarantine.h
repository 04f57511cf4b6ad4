// The admin pages of the quarantine (store/quarantine.h).
//
//   GET  /v1/tables/NAME/quarantine                 {"table", "parked", "records": [...], "next"}
//        ?after=N&limit=N                           go on after "next"; limit at most kParkedMax
//   POST /v1/tables/NAME/quarantine/retry           {"status", "reason"}; status as ParkedStatus
//   POST /v1/tables/NAME/quarantine/discard         the same
//        ?key=HEX&version=HEX                       one record
//
// A record: {"id", "key", "key_json", "version", "version_hex", "source", "shard", "sequence",
// "committed_ms", "delete", "image_bytes", "image_hex" (its first kImageShownMax bytes), "reason"}.  The
// id is a hash of key and version: the same wherever and whenever the record is looked at.
//
// Threads: the admin server's; a decision is waited for, at most kDecisionMsMax.
#pragma once

#include "region-node/admin/target.h"

namespace meridian::admin {

inline constexpr std::size_t kParkedMax = 1'000;  // parked records on one page
inline constexpr std::size_t kImageShownMax = 4096;
inline constexpr std::int64_t kDecisionMsMax = 10'000;

http::Response serve_quarantine(store::Store& store, store::Reader& reader, const Target& target,
                                const std::string& method);

}  // namespace meridian::admin
