// Counts the data syncs that SQLite makes, so that "one sync per commit" is measured and not believed;
// and hands the pages of a commit to the operating system in few writes.
//
// A thin SQLite VFS over the default one, for every Database that names no other.  SQLite writes each
// frame of a write-ahead log in two pieces, a header and a page; what lies together is gathered here and
// written when the commit's last frame is there, so that nothing is pending when a commit is published.
// A write that fails then, fails the commit, as a failed sync does.  Of a file's methods only those that
// must know are replaced; all others are the operating system's own.
//
// Limits: kGatheredBytesMax of one log wait.
// Threads: syncs are counted per thread, and SQLite syncs on the thread that calls it, so a thread sees
// what its own statements cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace meridian::sqlite {

struct SyncCounts {
  std::uint64_t wal = 0;
  std::uint64_t wal_start = 0;  // of a log's header alone, when the log is begun anew
  std::uint64_t other = 0;      // database files, rollback journals, directories
  std::uint64_t wal_writes = 0;  // not syncs: writes to logs that the system was asked for
};

inline constexpr std::size_t kGatheredBytesMax = 1 << 20;

// Of the calling thread, since it began.
SyncCounts sync_counts();

// The name of the VFS; registers it at the first call.
const char* counting_vfs();

}  // namespace meridian::sqlite
