// LogHistory: which start of this node wrote which stretch of a log shard, and whether a position that
// somebody holds belongs to this log at all.
//
// A restored or forked log continues under a new start id, so a position beyond the point of the copy
// names a stretch that does not hold it.  Stretches are noted when their first record is written, so
// none is empty, and every sequence has exactly one position: the start that wrote it.
//
// Pure.  Threads: value types.
// Source: ADR 0006.
#pragma once

#include <vector>

#include "common/ids.h"
#include "rpc/change_record.h"

namespace meridian::store {

struct Stretch {
  StartId start;
  Sequence first;
};

struct LogHistory {
  std::vector<Stretch> stretches;  // ascending first
  Sequence end;                    // newest sequence
  Sequence trimmed_to;             // newest sequence that is gone; 0 for none
  // What the default position means: the end of what was trimmed when the table became global.
  Sequence origin;

  // ok, trimmed, or not_in_history.
  [[nodiscard]] rpc::ReadStatus check(const LogPosition& position) const;
  // Where a reader with this position goes on: after the answer.  REQUIRES: check() is ok.
  [[nodiscard]] Sequence resolve(const LogPosition& position) const;
  // The position of a sequence.  REQUIRES: trimmed_to <= sequence <= end.
  [[nodiscard]] LogPosition position_of(Sequence sequence) const;
};

}  // namespace meridian::store
