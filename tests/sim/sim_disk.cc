#include "tests/sim/sim_disk.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sqlite3.h>

#include <algorithm>

#include "common/check.h"
#include "tests/sim/sim_disk_file.h"

namespace meridian::sim {
namespace {

// Names of file systems are of the whole process.
std::string next_name() {
  static std::uint64_t count = 0;
  return fmt::format("simdisk-{}", ++count);
}

// A run has one thread, so it needs no mutexes, and nobody asks SQLite how much memory it has.  What one run
// gives back the next one needs: it is not returned to the system in between.
void configure_process() {
  static const bool once = [] {
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    return true;
  }();
  (void)once;
}

bool of_sync(DiskFault fault) {
  return fault == DiskFault::sync_fails || fault == DiskFault::power_in_sync;
}

// Some of the sectors that a write touches, each whole; what lies between keeps its old content.
std::vector<UnsyncedWrite> torn(const UnsyncedWrite& write, Rng& rng) {
  std::vector<UnsyncedWrite> parts;
  for (std::size_t at = 0; at < write.data.size();) {
    std::size_t in_sector =
        (static_cast<std::size_t>(write.offset) + at) % SimDisk::kSectorBytes;
    std::size_t size = std::min(SimDisk::kSectorBytes - in_sector, write.data.size() - at);
    if (rng.percent(50))
      parts.push_back({write.offset + static_cast<std::int64_t>(at), write.data.substr(at, size)});
    at += size;
  }
  return parts;
}

}  // namespace

void put_bytes(std::string& to, std::int64_t offset, std::string_view data) {
  auto at = static_cast<std::size_t>(offset);
  if (at == to.size()) {
    to.append(data);
    return;
  }
  if (to.size() < at + data.size()) to.resize(at + data.size(), '\0');
  to.replace(at, data.size(), data);
}

void apply_unsynced(std::string& to, const UnsyncedWrite& write) {
  if (!write.data.empty()) return put_bytes(to, write.offset, write.data);
  if (to.size() > static_cast<std::size_t>(write.offset))
    to.resize(static_cast<std::size_t>(write.offset));
}

SimDisk::SimDisk(std::uint64_t seed) : name_(next_name()), rng_(seed) {
  configure_process();
  vfs_ = make_vfs(*this, name_);
  MERIDIAN_CHECK(sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK);
}

SimDisk::~SimDisk() { sqlite3_vfs_unregister(vfs_.get()); }

void SimDisk::arm(DiskFault fault, std::uint32_t nth) { armed_ = Armed{fault, nth}; }

std::optional<DiskFault> SimDisk::strikes(bool is_sync) {
  if (!armed_ || of_sync(armed_->fault) != is_sync || --armed_->nth > 0) return std::nullopt;
  DiskFault fault = armed_->fault;
  armed_.reset();
  ++faults_;
  return fault;
}

int SimDisk::write(File& file, const char* data, std::size_t size, std::int64_t offset) {
  UnsyncedWrite write{offset, std::string(data, size)};
  bool grows = static_cast<std::size_t>(offset) + size > file.visible.size();
  auto fault = strikes(false);
  if (!fault && full_ && grows) {
    fault = DiskFault::write_full;
    ++faults_;
  }
  if (!fault) {
    put_bytes(file.visible, offset, write.data);
    file.unsynced.push_back(std::move(write));
    return SQLITE_OK;
  }
  if (*fault != DiskFault::write_fails) {
    for (auto& part : torn(write, rng_)) {
      if (*fault == DiskFault::write_full && full_ && grows) break;
      put_bytes(file.visible, part.offset, part.data);
      file.unsynced.push_back(std::move(part));
    }
  }
  if (*fault == DiskFault::power_in_write) dead_ = true;
  return *fault == DiskFault::write_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int SimDisk::truncate(File& file, std::int64_t size) {
  UnsyncedWrite write{size, {}};
  apply_unsynced(file.visible, write);
  file.unsynced.push_back(std::move(write));
  return SQLITE_OK;
}

int SimDisk::sync(File& file) {
  auto fault = strikes(true);
  if (fault && *fault == DiskFault::power_in_sync) {
    dead_ = true;
    return SQLITE_IOERR_FSYNC;
  }
  for (const auto& write : file.unsynced) {
    if (!fault || rng_.percent(50)) apply_unsynced(file.durable, write);
  }
  file.unsynced.clear();  // after a failure too: the cache is clean, and says nothing
  if (!fault) {
    removed_.clear();  // the file system's own journal keeps its order
    return SQLITE_OK;
  }
  sync_failed_ = true;
  return SQLITE_IOERR_FSYNC;
}

std::shared_ptr<SimDisk::File> SimDisk::find(const std::string& name, bool create) {
  auto at = files_.find(name);
  if (at != files_.end()) return at->second;
  if (!create) return nullptr;
  return files_.emplace(name, std::make_shared<File>()).first->second;
}

void SimDisk::remove(const std::string& name, bool durable) {
  auto at = files_.find(name);
  if (at == files_.end()) return;
  if (!durable) removed_[name] = at->second;
  files_.erase(at);
}

void SimDisk::lose_unsynced(File& file, unsigned kept_percent) {
  constexpr unsigned kTornPercent = 20;
  for (const auto& write : file.unsynced) {
    if (!rng_.percent(kept_percent)) continue;
    if (write.data.empty() || !rng_.percent(kTornPercent)) {
      apply_unsynced(file.durable, write);
      continue;
    }
    for (const auto& part : torn(write, rng_)) apply_unsynced(file.durable, part);
  }
  file.unsynced.clear();
  file.visible = file.durable;
}

void SimDisk::revive(Loss loss) {
  dead_ = false;
  sync_failed_ = false;
  faults_ = 0;
  armed_.reset();
  for (auto& [name, file] : files_) {
    MERIDIAN_CHECK(file->opens.empty());
    file->shared_memory.clear();
  }
  if (loss == Loss::nothing) return;
  static constexpr unsigned kKept[] = {0, 0, 30, 60, 90};
  unsigned kept = kKept[rng_.below(std::size(kKept))];
  for (auto& [name, file] : removed_)
    if (rng_.percent(50)) files_.emplace(name, file);
  removed_.clear();
  for (auto& [name, file] : files_) lose_unsynced(*file, kept);
}

SimDisk::Files SimDisk::files() const {
  Files files;
  for (const auto& [name, file] : files_) files.emplace(name, file->visible);
  return files;
}

void SimDisk::set_files(const Files& files) {
  files_.clear();
  removed_.clear();
  for (const auto& [name, content] : files) {
    auto file = std::make_shared<File>();
    file->visible = content;
    file->durable = content;
    files_.emplace(name, std::move(file));
  }
}

}  // namespace meridian::sim
