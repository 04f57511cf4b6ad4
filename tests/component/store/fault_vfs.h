// FaultVfs: SQLite's own file system, but the n-th write or sync fails when told to.
//
// Threads: any; the countdown is atomic.  One per process, registered at first use as kFaultVfs.
#pragma once

namespace meridian::store {

inline constexpr const char* kFaultVfs = "meridian-fault";

void register_fault_vfs();
// From now on the `nth` write or sync (from 1) fails with `code`, and everything after it too while
// `sticky`.  0 heals.
void fail_io(int nth, int code, bool sticky);
// Whether a failure has happened since fail_io().
bool io_failed();

}  // namespace meridian::store
