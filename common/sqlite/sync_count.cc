#include "common/sqlite/sync_count.h"

#include <sqlite3.h>

#include <mutex>

#include "common/check.h"

namespace meridian::sqlite {
namespace {

constexpr const char* kName = "meridian-counting";
constexpr int kWalHeaderBytes = 32;

thread_local SyncCounts counts;
// The header of a WAL is all that was written since its last sync.
thread_local bool header_only = false;

// What the operating system's VFS gave, and what takes its place.  A file keeps its own object; only
// the table of methods that it points to is another, so nothing else costs anything.
struct Methods {
  const sqlite3_io_methods* original = nullptr;
  sqlite3_io_methods counting{};
};
Methods wal_methods;
Methods other_methods;
std::mutex methods_mutex;

int write_wal(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  header_only = at == 0 && size == kWalHeaderBytes;
  return wal_methods.original->xWrite(file, from, size, at);
}

int sync_wal(sqlite3_file* file, int flags) {
  ++(header_only ? counts.wal_start : counts.wal);
  header_only = false;
  return wal_methods.original->xSync(file, flags);
}

int sync_other(sqlite3_file* file, int flags) {
  ++counts.other;
  return other_methods.original->xSync(file, flags);
}

void watch(sqlite3_file* file, bool is_wal) {
  Methods& methods = is_wal ? wal_methods : other_methods;
  std::lock_guard lock(methods_mutex);
  if (methods.original == nullptr) {
    methods.counting = *file->pMethods;
    methods.counting.xSync = is_wal ? sync_wal : sync_other;
    if (is_wal) methods.counting.xWrite = write_wal;
    methods.original = file->pMethods;
  }
  // One kind of file has one table of methods on Linux; should there be another, it is not counted.
  if (file->pMethods == methods.original) file->pMethods = &methods.counting;
}

sqlite3_vfs* system_vfs = nullptr;

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  int code = system_vfs->xOpen(system_vfs, name, file, flags, out_flags);
  if (code == SQLITE_OK) watch(file, (flags & SQLITE_OPEN_WAL) != 0);
  return code;
}

}  // namespace

SyncCounts sync_counts() { return counts; }

const char* counting_vfs() {
  static sqlite3_vfs vfs;
  static std::once_flag once;
  std::call_once(once, [] {
    system_vfs = sqlite3_vfs_find(nullptr);
    MERIDIAN_CHECK(system_vfs != nullptr);
    vfs = *system_vfs;
    vfs.zName = kName;
    vfs.pNext = nullptr;
    vfs.xOpen = open_file;
    MERIDIAN_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
  });
  return kName;
}

}  // namespace meridian::sqlite
