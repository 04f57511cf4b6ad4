// Counts the data syncs that SQLite makes, so that "one sync per commit" is measured and not believed.
//
// A thin SQLite VFS over the default one, for every Database that names no other.  Of a file's methods
// it replaces xSync, and xWrite of a write-ahead log; all others are the operating system's own.
//
// Threads: syncs are counted per thread, and SQLite syncs on the thread that calls it, so a thread sees
// what its own statements cost.
#pragma once

#include <cstdint>

namespace meridian::sqlite {

struct SyncCounts {
  std::uint64_t wal = 0;
  std::uint64_t wal_start = 0;  // of a log's header alone, when the log is begun anew
  std::uint64_t other = 0;      // database files, rollback journals, directories
};

// Of the calling thread, since it began.
SyncCounts sync_counts();

// The name of the VFS; registers it at the first call.
const char* counting_vfs();

}  // namespace meridian::sqlite
