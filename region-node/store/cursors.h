// The cursors that the store itself knows: the epoch of a table's rows (see rpc::RowsPage), and those
// of a copy (region-node/copy), which say whether this region's flows have begun.
// What is not settled of those whose lives have ended is kept as one, too.
// Pure.  Threads: any.  Errors: sqlite::SqliteError (is_damage()).
#pragma once

#include <cstdint>

#include "common/bytes.h"
#include "common/sqlite/sqlite.h"

namespace meridian::store {

inline constexpr const char* kRowsEpoch = "rows";  // no other cursor may have this name
inline constexpr const char* kUnsettled = "unsettled";  // nor this one; see TableInfo
inline constexpr const char* kCopyCursor = "copy";
inline constexpr const char* kCopyBeginnings = "copy.flows";

inline Bytes rows_epoch_bytes(std::uint64_t epoch) {
  Bytes out;
  put_u64(out, epoch);
  return out;
}
inline std::uint64_t rows_epoch_in(BytesView value) {
  auto epoch = take_u64(value);
  if (!epoch || !value.empty()) sqlite::damaged("the epoch of a table's rows");
  return *epoch;
}

}  // namespace meridian::store
