#include "common/sqlite/sync_count.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include "common/check.h"

namespace meridian::sqlite {
namespace {

constexpr const char* kName = "meridian-counting";
constexpr int kWalHeaderBytes = 32;
constexpr int kFrameHeaderBytes = 24;

// SQLite's own file layer takes no more at once: it masks the size with 0x1ffff.
constexpr std::size_t kWriteBytesMax = 0x1f000;

thread_local SyncCounts counts;

// What a log was given and the system was not, yet; behind SQLite's own object of the file.
struct Gathered {
  std::string bytes;
  sqlite3_int64 start = 0;    // where in the file they belong
  bool last_frame = false;    // the page to come ends a commit
  bool header_only = false;   // the log's header is all that was written since its last sync
};

// What the operating system's VFS gave, and what takes its place.  A file keeps its own object; only
// the table of methods that it points to is another, so nothing else costs anything.
struct Methods {
  const sqlite3_io_methods* original = nullptr;
  sqlite3_io_methods counting{};
};
Methods wal_methods;
Methods other_methods;
std::mutex methods_mutex;
sqlite3_vfs* system_vfs = nullptr;

// The system's file object is a whole number of pointers long.
Gathered*& gathered(sqlite3_file* file) {
  return *reinterpret_cast<Gathered**>(reinterpret_cast<char*>(file) + system_vfs->szOsFile);
}

int flush(sqlite3_file* file) {
  Gathered& waiting = *gathered(file);
  int code = SQLITE_OK;
  for (std::size_t at = 0; at < waiting.bytes.size() && code == SQLITE_OK; at += kWriteBytesMax) {
    ++counts.wal_writes;
    auto size = std::min(kWriteBytesMax, waiting.bytes.size() - at);
    code = wal_methods.original->xWrite(file, waiting.bytes.data() + at, static_cast<int>(size),
                                        waiting.start + static_cast<sqlite3_int64>(at));
  }
  waiting.bytes.clear();
  return code;
}

// The fifth to eighth byte of a frame's header: the size of the database if a commit ends here, else 0.
bool ends_commit(const void* header) {
  std::uint32_t pages;
  std::memcpy(&pages, static_cast<const char*>(header) + 4, sizeof pages);
  return pages != 0;
}

int write_wal(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  Gathered& waiting = *gathered(file);
  waiting.header_only = at == 0 && size == kWalHeaderBytes;
  auto end = waiting.start + static_cast<sqlite3_int64>(waiting.bytes.size());
  if (!waiting.bytes.empty() && at != end) {
    int code = flush(file);
    if (code != SQLITE_OK) return code;
  }
  if (waiting.bytes.empty()) waiting.start = at;
  waiting.bytes.append(static_cast<const char*>(from), static_cast<std::size_t>(size));
  if (size == kFrameHeaderBytes) {
    waiting.last_frame = ends_commit(from);
    return SQLITE_OK;
  }
  bool now = waiting.last_frame || waiting.header_only || waiting.bytes.size() >= kGatheredBytesMax;
  return now ? flush(file) : SQLITE_OK;
}

int sync_wal(sqlite3_file* file, int flags) {
  bool& header_only = gathered(file)->header_only;
  ++(header_only ? counts.wal_start : counts.wal);
  header_only = false;
  int code = flush(file);
  return code == SQLITE_OK ? wal_methods.original->xSync(file, flags) : code;
}

// Frames of an unfinished transaction may be read back, or taken back.
int read_wal(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  int code = flush(file);
  return code == SQLITE_OK ? wal_methods.original->xRead(file, to, size, at) : code;
}

int truncate_wal(sqlite3_file* file, sqlite3_int64 size) {
  int code = flush(file);
  return code == SQLITE_OK ? wal_methods.original->xTruncate(file, size) : code;
}

int size_of_wal(sqlite3_file* file, sqlite3_int64* size) {
  int code = flush(file);
  return code == SQLITE_OK ? wal_methods.original->xFileSize(file, size) : code;
}

// What still waits belongs to a transaction that nobody committed.
int close_wal(sqlite3_file* file) {
  delete std::exchange(gathered(file), nullptr);
  return wal_methods.original->xClose(file);
}

int sync_other(sqlite3_file* file, int flags) {
  ++counts.other;
  return other_methods.original->xSync(file, flags);
}

void replace(sqlite3_io_methods& methods, bool is_wal) {
  if (!is_wal) {
    methods.xSync = sync_other;
    return;
  }
  methods.xWrite = write_wal;
  methods.xSync = sync_wal;
  methods.xRead = read_wal;
  methods.xTruncate = truncate_wal;
  methods.xFileSize = size_of_wal;
  methods.xClose = close_wal;
}

void watch(sqlite3_file* file, bool is_wal) {
  Methods& methods = is_wal ? wal_methods : other_methods;
  std::lock_guard lock(methods_mutex);
  if (methods.original == nullptr) {
    methods.counting = *file->pMethods;
    replace(methods.counting, is_wal);
    methods.original = file->pMethods;
  }
  // One kind of file has one table of methods on Linux; should there be another, it is not counted.
  if (file->pMethods != methods.original) return;
  if (is_wal) gathered(file) = new Gathered;
  file->pMethods = &methods.counting;
}

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
    // SQLite's own memory statistics take one lock of the whole process at every allocation, on which
    // threads with connections of their own then wait; nothing reads them.  Refused, and no harm
    // done, where something has used SQLite already.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    system_vfs = sqlite3_vfs_find(nullptr);
    MERIDIAN_CHECK(system_vfs != nullptr);
    MERIDIAN_CHECK(system_vfs->szOsFile % sizeof(Gathered*) == 0);
    vfs = *system_vfs;
    vfs.zName = kName;
    vfs.szOsFile += static_cast<int>(sizeof(Gathered*));
    vfs.pNext = nullptr;
    vfs.xOpen = open_file;
    MERIDIAN_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
  });
  return kName;
}

}  // namespace meridian::sqlite
