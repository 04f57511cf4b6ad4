// SimDisk: one machine's disk, as a SQLite file system (VFS) in memory that tells what was written from
// what was synced, and breaks on request.
//
// A write is visible at once and durable after the next sync of its file.  When the process dies, what
// is visible stays; when the machine loses power, of what was not synced all, nothing or any part is
// left: any subset of the writes, of some only a few sectors.  A failed sync is the operating system's:
// what was to be synced goes on being visible, some of it never reaches the disk, and no later sync
// knows of it.  A file that was removed may come back, until something is synced.
//
//   SimDisk disk(seed);
//   options.memory_name = "store.db"; options.vfs = disk.vfs();
//   ...
//   disk.die(); store.reset(); disk.revive(SimDisk::Loss::nothing);  // kill -9
//
// Threads: one.  REQUIRES: files are closed before it is destroyed.
// Limits: sectors of kSectorBytes are written whole or not at all.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/rng.h"

struct sqlite3_vfs;

namespace meridian::sim {

enum class DiskFault {
  write_fails,     // an I/O error, nothing written
  write_torn,      // an I/O error, some sectors written
  write_full,      // no room, some of it written
  sync_fails,      // some of it durable, the rest never
  power_in_write,  // the machine loses power in the middle of it
  power_in_sync,
};

class SimDisk {
 public:
  static constexpr std::size_t kSectorBytes = 512;

  explicit SimDisk(std::uint64_t seed);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  [[nodiscard]] const std::string& vfs() const { return name_; }

  // The `nth` write or sync from now on (from 1) has it; one at a time, the last one asked for.
  void arm(DiskFault fault, std::uint32_t nth);
  void disarm() { armed_.reset(); }
  // No file grows while it is full.
  void set_full(bool full) { full_ = full; }
  [[nodiscard]] bool full() const { return full_; }

  // From now on nothing is read or written: the process is gone, though its objects are still here.
  void die() { dead_ = true; }
  // Also since power was lost by a fault.
  [[nodiscard]] bool dead() const { return dead_; }
  enum class Loss { nothing, unsynced };
  // For the next process.  REQUIRES: no file is open.
  void revive(Loss loss);
  // Since it was revived.
  [[nodiscard]] bool sync_failed() const { return sync_failed_; }
  [[nodiscard]] std::uint64_t faults_since_revived() const { return faults_; }

  // Files as one sees them; for backups, and to damage them.  REQUIRES of set_files: none is open.
  using Files = std::map<std::string, std::string>;
  [[nodiscard]] Files files() const;
  void set_files(const Files& files);

  // For the VFS.
  struct File;
  struct Open;
  std::shared_ptr<File> find(const std::string& name, bool create);
  void remove(const std::string& name, bool durable);
  int write(File& file, const char* data, std::size_t size, std::int64_t offset);
  int truncate(File& file, std::int64_t size);
  int sync(File& file);

 private:
  struct Armed {
    DiskFault fault;
    std::uint32_t nth;
  };
  // The fault of this write or sync, if it has one.
  std::optional<DiskFault> strikes(bool is_sync);
  void lose_unsynced(File& file, unsigned kept_percent);

  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  Rng rng_;
  std::map<std::string, std::shared_ptr<File>> files_;
  std::map<std::string, std::shared_ptr<File>> removed_;  // and not yet durably so
  std::optional<Armed> armed_;
  bool full_ = false;
  bool dead_ = false;
  bool sync_failed_ = false;
  std::uint64_t faults_ = 0;
};

}  // namespace meridian::sim
