// Quarantine: records that could not be applied, kept aside ("parked") until an operator or a newer
// version of their key settles them.
//
// Parking moves the flow's position on, so that only the record's key waits.  A newer version of the key
// retires the record by itself; what else becomes of it is an operator's word: `retry` has it go through
// the apply rule once more (after an upgrade, say), `discard` gives it up here.
//
// Threads: value types.
// Limits: kParkedMax records per table (flow_store.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/bytes.h"
#include "conflict/version.h"
#include "rpc/change_record.h"

namespace meridian::store {

struct ParkedRecord {
  std::int64_t row = 0;  // ascending in the order of parking; a record that is parked anew gets another
  rpc::FlowId flow;
  rpc::ChangeRecord record;
  std::string reason;
};

struct ParkedStats {
  std::uint64_t records = 0;
  std::optional<std::int64_t> oldest_us;  // commit time at the source of the oldest of them
};

enum class ParkedAction { retry, discard };

enum class ParkedStatus {
  applied,       // retried, and it won
  beaten,        // retried, and a newer version of the key is here: it is no longer parked
  still_parked,  // retried, and it cannot be applied; see the reason
  held,          // its version lies beyond the clock bound: still parked
  discarded,
  no_such_record,
  no_such_table,
  unavailable,
};

struct ParkedOutcome {
  ParkedStatus status = ParkedStatus::unavailable;
  std::string reason;  // why it is still parked
};
using ParkedDone = std::function<void(const ParkedOutcome&)>;

// Which record, and what is to become of it.
struct ParkedDecision {
  TableId table;
  Bytes key;
  conflict::Version version;
  ParkedAction action = ParkedAction::retry;
};

}  // namespace meridian::store
