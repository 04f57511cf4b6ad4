// StoreOptions: every limit and setting of the store, with its default.
//
// Threads: a value, read at construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "common/ids.h"
#include "conflict/clock_guard.h"
#include "region-node/store/table_info.h"

namespace meridian::store {

// The store cannot be opened: the directory is in use, belongs to another region, is of a newer
// format, or is not ours.  The text is for the operator.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The wall clock is behind the newest version that this region has minted, by more than the bound:
// either it is wrong now, or it was wrong then.
class ClockBehind : public StoreError {
 public:
  using StoreError::StoreError;
};

struct StoreOptions {
  // Made if it is not there; locked while the store is open.  The file in it is store.db.
  std::string data_dir;
  RegionId region;

  // Instead of `data_dir`: the name of a file of this process, for one thread only.  Without `vfs` it
  // is in memory, kept alive by a MemoryFile (inline_store.h), and has no WAL, so it says nothing about
  // crashes of a disk; with it, that file system holds it, and all is as on a real one.
  std::string memory_name;
  [[nodiscard]] bool has_wal() const { return memory_name.empty() || !vfs.empty(); }

  std::uint16_t shards = kShardsDefault;  // of new tables' logs
  std::int64_t drift_ms_max = conflict::ClockGuard::kDriftMaxMsDefault;
  bool accept_old_clock = false;  // opens in spite of ClockBehind; client writes wait for the clock
  std::int64_t stream_rollover_ms = 4LL * 3600 * 1000;
  std::int64_t retention_ms = 24LL * 3600 * 1000;  // of the log and of streams
  // Local-origin bytes of one table that some peer has not acknowledged; past it, the log is no longer
  // kept for that peer, which is then repaired row by row.
  std::uint64_t unacknowledged_bytes_max = 16ULL << 30;
  // Conflict ledger, all tables together; past either the oldest losers are dropped and counted.
  std::uint64_t ledger_entries_max = 100'000;
  std::uint64_t ledger_bytes_max = 256 << 20;

  // One group is one transaction.  A replicated record counts as one operation.  Clients and
  // replication each have half of a group for certain, and all of it while the other side is idle.
  std::size_t group_ops_max = 2048;
  std::size_t group_bytes_max = 8 << 20;
  // Waiting work; past it, writes answer overloaded and batches unavailable.
  std::size_t queue_writes_max = 16384;
  std::size_t queue_write_bytes_max = 128 << 20;
  std::size_t queue_batch_bytes_max = 64 << 20;

  std::int64_t cache_bytes = 256LL << 20;        // of the writer
  std::int64_t reader_cache_bytes = 16LL << 20;  // of each reader
  int wal_checkpoint_pages = 640;  // at least, copied by the writer after a commit
  std::int64_t maintenance_ms = 1000;            // between looks for something to trim or roll over
  std::size_t trim_records_max = 500;            // of a log, deleted in one step
  // A tombstone is kept for so long at least, for people to see; how long it must be kept is another
  // matter (engine_collect.cc).
  std::int64_t tombstone_retention_ms = 10LL * 60 * 1000;
  std::size_t collect_rows_max = 500;  // collected in one step

  // For tests.
  std::string vfs;             // SQLite VFS by name
  std::int64_t pages_max = 0;  // size of the file in pages; past it the disk counts as full
  bool sync = true;            // false: a machine crash may lose commits
};

}  // namespace meridian::store
