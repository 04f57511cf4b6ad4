#include "tests/component/store/fault_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <mutex>
#include <new>

namespace meridian::store {
namespace {

std::atomic<int> countdown{0};
std::atomic<int> failure_code{0};
std::atomic<bool> failure_sticky{false};
std::atomic<bool> failed{false};

// SQLITE_OK, or what this operation is to fail with.
int next_outcome() {
  if (failed.load() && failure_sticky.load()) return failure_code.load();
  if (countdown.load() <= 0 || countdown.fetch_sub(1) != 1) return SQLITE_OK;
  failed = true;
  return failure_code.load();
}

struct FaultFile {
  sqlite3_file base;
  sqlite3_file* real;
};
sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file)->real; }

int do_close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
int do_read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  return real(f)->pMethods->xRead(real(f), to, size, at);
}
int do_write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  int outcome = next_outcome();
  return outcome != SQLITE_OK ? outcome : real(f)->pMethods->xWrite(real(f), from, size, at);
}
int do_truncate(sqlite3_file* f, sqlite3_int64 size) {
  return real(f)->pMethods->xTruncate(real(f), size);
}
// No real sync: these tests crash no machine, and run hundreds of commits.
int do_sync(sqlite3_file*, int) { return next_outcome(); }
int do_size(sqlite3_file* f, sqlite3_int64* size) {
  return real(f)->pMethods->xFileSize(real(f), size);
}
int do_lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int do_unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int do_reserved(sqlite3_file* f, int* out) {
  return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
int do_control(sqlite3_file* f, int op, void* arg) {
  return real(f)->pMethods->xFileControl(real(f), op, arg);
}
int do_sector(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int do_traits(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
int do_shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
int do_shm_lock(sqlite3_file* f, int offset, int n, int flags) {
  return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
void do_shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
int do_shm_unmap(sqlite3_file* f, int erase) {
  return real(f)->pMethods->xShmUnmap(real(f), erase);
}

const sqlite3_io_methods kMethods = {
    2,           do_close,       do_read,      do_write,   do_truncate, do_sync,   do_size,
    do_lock,     do_unlock,      do_reserved,  do_control, do_sector,   do_traits, do_shm_map,
    do_shm_lock, do_shm_barrier, do_shm_unmap, nullptr,    nullptr};

sqlite3_vfs* base_vfs() { return sqlite3_vfs_find(nullptr); }

int do_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* fault = reinterpret_cast<FaultFile*>(file);
  fault->base.pMethods = nullptr;
  fault->real = reinterpret_cast<sqlite3_file*>(fault + 1);
  int code = base_vfs()->xOpen(base_vfs(), name, fault->real, flags, out_flags);
  if (code == SQLITE_OK) fault->base.pMethods = &kMethods;
  return code;
}

}  // namespace

void register_fault_vfs() {
  static sqlite3_vfs vfs;
  static std::once_flag once;
  std::call_once(once, [] {
    vfs = *base_vfs();
    vfs.zName = kFaultVfs;
    vfs.pNext = nullptr;
    vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + base_vfs()->szOsFile;
    vfs.xOpen = do_open;
    sqlite3_vfs_register(&vfs, 0);
  });
}

void fail_io(int nth, int code, bool sticky) {
  failed = false;
  failure_code = code;
  failure_sticky = sticky;
  countdown = nth;
}

bool io_failed() { return failed.load(); }

}  // namespace meridian::store
