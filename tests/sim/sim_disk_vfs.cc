// The functions that SQLite calls.  Source: sqlite.org/vfs.html and "test_demovfs.c"; what shared
// memory and its locks must do is described at sqlite3_io_methods.
#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "tests/sim/sim_disk_file.h"

namespace meridian::sim {
namespace {

using File = SimDisk::File;
using Open = SimDisk::Open;

// What SQLite allocates for a file of ours.
struct Handle {
  sqlite3_file base;
  Open* open;
};

Open& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file)->open; }
SimDisk& of(sqlite3_vfs* vfs) { return *static_cast<SimDisk*>(vfs->pAppData); }

int close_file(sqlite3_file* base) {
  auto* handle = reinterpret_cast<Handle*>(base);
  Open* open = handle->open;
  open->file->opens.erase(open);
  if (open->remove_at_close && open->alive()) open->disk->remove(open->name, true);
  delete open;
  handle->open = nullptr;
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* to, int size, sqlite3_int64 offset) {
  Open& open = of(base);
  if (!open.alive()) return SQLITE_IOERR_READ;
  const std::string& content = open.file->visible;
  auto wanted = static_cast<std::size_t>(size);
  auto at = static_cast<std::size_t>(offset);
  std::size_t there = at < content.size() ? std::min(wanted, content.size() - at) : 0;
  if (there > 0) std::memcpy(to, content.data() + at, there);
  if (there == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + there, 0, wanted - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* data, int size, sqlite3_int64 offset) {
  Open& open = of(base);
  if (!open.alive()) return SQLITE_IOERR_WRITE;
  return open.disk->write(*open.file, static_cast<const char*>(data),
                          static_cast<std::size_t>(size), offset);
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  Open& open = of(base);
  if (!open.alive()) return SQLITE_IOERR_TRUNCATE;
  return open.disk->truncate(*open.file, size);
}

int sync_file(sqlite3_file* base, int) {
  Open& open = of(base);
  if (!open.alive()) return SQLITE_IOERR_FSYNC;
  return open.disk->sync(*open.file);
}

int size_of_file(sqlite3_file* base, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(of(base).file->visible.size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file* base, int level) {
  Open& open = of(base);
  if (!open.alive()) return SQLITE_IOERR_LOCK;
  if (open.level >= level) return SQLITE_OK;
  for (const Open* other : open.file->opens) {
    if (other == &open) continue;
    bool busy = other->level >= SQLITE_LOCK_PENDING ||
                (level >= SQLITE_LOCK_RESERVED && other->level >= SQLITE_LOCK_RESERVED) ||
                (level == SQLITE_LOCK_EXCLUSIVE && other->level >= SQLITE_LOCK_SHARED);
    if (busy) return SQLITE_BUSY;
  }
  open.level = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* base, int level) {
  of(base).level = std::min(of(base).level, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* base, int* reserved) {
  const Open& open = of(base);
  *reserved = std::any_of(open.file->opens.begin(), open.file->opens.end(), [](const Open* other) {
    return other->level >= SQLITE_LOCK_RESERVED;
  });
  return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(sqlite3_file* base, int region, int size, int extend, void volatile** out) {
  Open& open = of(base);
  *out = nullptr;
  if (!open.alive()) return SQLITE_IOERR_SHMMAP;
  auto& memory = open.file->shared_memory;
  while (extend != 0 && memory.size() <= static_cast<std::size_t>(region))
    memory.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  if (memory.size() > static_cast<std::size_t>(region))
    *out = memory[static_cast<std::size_t>(region)].get();
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* base, int first, int count, int flags) {
  Open& open = of(base);
  if (!open.alive()) return SQLITE_IOERR_SHMLOCK;
  bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (auto slot = static_cast<std::size_t>(first); slot < static_cast<std::size_t>(first + count);
       ++slot) {
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      (exclusive ? open.owns : open.shares)[slot] = false;
      continue;
    }
    for (const Open* other : open.file->opens)
      if (other != &open && (other->owns[slot] || (exclusive && other->shares[slot])))
        return SQLITE_BUSY;
  }
  if ((flags & SQLITE_SHM_LOCK) == 0) return SQLITE_OK;
  for (int slot = first; slot < first + count; ++slot)
    (exclusive ? open.owns : open.shares)[static_cast<std::size_t>(slot)] = true;
  return SQLITE_OK;
}

void barrier(sqlite3_file*) {}

int unmap_shared(sqlite3_file* base, int remove) {
  Open& open = of(base);
  open.shares.fill(false);
  open.owns.fill(false);
  if (remove != 0) open.file->shared_memory.clear();
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    2,           close_file,     read_file,    write_file,      truncate_file, sync_file,
    size_of_file, lock_file,     unlock_file,  check_reserved,  control_file,  sector_size,
    characteristics, map_shared, lock_shared,  barrier,         unmap_shared,  nullptr,
    nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* base, int flags, int* out_flags) {
  base->pMethods = nullptr;
  SimDisk& disk = of(vfs);
  if (disk.dead()) return SQLITE_CANTOPEN;
  static std::uint64_t temporary = 0;
  std::string path = name != nullptr ? name : "temporary-" + std::to_string(++temporary);
  auto file = disk.find(path, (flags & SQLITE_OPEN_CREATE) != 0 || name == nullptr);
  if (!file) return SQLITE_CANTOPEN;
  bool remove = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  auto* open = new Open{&disk, std::move(file), remove, path};
  open->file->opens.insert(open);
  reinterpret_cast<Handle*>(base)->open = open;
  base->pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs* vfs, const char* name, int durable) {
  SimDisk& disk = of(vfs);
  if (disk.dead()) return SQLITE_IOERR_DELETE;
  if (!disk.find(name, false)) return SQLITE_IOERR_DELETE_NOENT;
  disk.remove(name, durable != 0);
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* there) {
  auto file = of(vfs).find(name, false);
  *there = file != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

// Nothing else runs that could make waiting worth while.
int sleep_not(sqlite3_vfs*, int us) { return us; }

}  // namespace

std::unique_ptr<sqlite3_vfs> make_vfs(SimDisk& disk, const std::string& name) {
  const sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  auto vfs = std::make_unique<sqlite3_vfs>(*system);  // for time and randomness
  vfs->iVersion = 2;
  vfs->szOsFile = sizeof(Handle);
  vfs->pNext = nullptr;
  vfs->zName = name.c_str();
  vfs->pAppData = &disk;
  vfs->xOpen = open_file;
  vfs->xDelete = remove_file;
  vfs->xAccess = access_file;
  vfs->xFullPathname = full_name;
  vfs->xSleep = sleep_not;
  return vfs;
}

}  // namespace meridian::sim
