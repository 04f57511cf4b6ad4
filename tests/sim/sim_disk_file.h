// What a SimDisk's files are, and what the connections of one file share: locks and the WAL's index.
//
// Threads: one.
#pragma once

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/sim_disk.h"

namespace meridian::sim {

// A write that is not durable yet; a truncation when it has no data.
struct UnsyncedWrite {
  std::int64_t offset;
  std::string data;
};

struct SimDisk::File {
  std::string visible;
  std::string durable;
  std::vector<UnsyncedWrite> unsynced;

  std::set<Open*> opens;
  std::vector<std::unique_ptr<char[]>> shared_memory;
};

struct SimDisk::Open {
  static constexpr int kSharedLocks = 8;

  SimDisk* disk;
  std::shared_ptr<File> file;
  bool remove_at_close;
  std::string name;
  int level = 0;  // SQLITE_LOCK_...
  std::array<bool, kSharedLocks> shares{};
  std::array<bool, kSharedLocks> owns{};

  [[nodiscard]] bool alive() const { return !disk->dead(); }
};

void put_bytes(std::string& to, std::int64_t offset, std::string_view data);
void apply_unsynced(std::string& to, const UnsyncedWrite& write);

// Makes the table of functions that SQLite calls; `name` must outlive it.
std::unique_ptr<sqlite3_vfs> make_vfs(SimDisk& disk, const std::string& name);

}  // namespace meridian::sim
