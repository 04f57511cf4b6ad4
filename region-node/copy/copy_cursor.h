// CopyCursor: how far the copy of a table has got, as it is stored with the rows.
// Threads: value type.  Errors: decode answers empty for what no encode wrote.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/bytes.h"
#include "common/ids.h"
#include "conflict/version.h"
#include "rpc/rows.h"

namespace meridian::copy {

struct CopyCursor {
  RegionId seed;
  Bytes after;              // key of the last row that was applied
  bool scanned = false;     // there are no more
  std::uint64_t epoch = 0;  // of the seed's rows when this scan began
  std::uint64_t rows = 0;   // applied by this scan
  std::uint64_t bytes = 0;
  std::uint64_t rows_estimated = 0;
  // What the seed had of every origin when this scan began: all of it is here when it has ended.
  std::map<RegionId, conflict::Hlc> watermarks;
  // Where the seed's logs ended then: a seed that has them not any more was put back to before.
  std::vector<LogPosition> ends = {};

  bool operator==(const CopyCursor&) const = default;
};

// Where flows stand, or began.
Bytes encode_stands(const std::vector<rpc::FlowStand>& stands);
std::optional<std::vector<rpc::FlowStand>> decode_stands(BytesView in);

Bytes encode_cursor(const CopyCursor& cursor);
std::optional<CopyCursor> decode_cursor(BytesView in);

}  // namespace meridian::copy
