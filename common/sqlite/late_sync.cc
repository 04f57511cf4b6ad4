#include "common/sqlite/late_sync.h"

#include <sqlite3.h>

#include <chrono>
#include <limits>
#include <utility>
#include <vector>

#include "common/check.h"

namespace meridian::sqlite {
namespace {

// Of the locks in the WAL's index: five read marks, of which the first means "reads no WAL".  Whoever
// begins the WAL anew locks all others at once.
constexpr int kSecondReadMark = 4;
constexpr int kReadMarksOfWal = 4;

constexpr std::chrono::milliseconds kIdleTick{1000};

}  // namespace

// What stands behind a hooked file; the runner's jobs share it.
struct LateSync::Hooked : std::enable_shared_from_this<LateSync::Hooked> {
  // What the file points to instead of its own table of methods; a hook finds the rest through it.
  struct Methods {
    sqlite3_io_methods table{};
    Hooked* owner = nullptr;
  };
  Methods methods;
  const sqlite3_io_methods* original = nullptr;
  Runner runner;
  bool late = false;  // the connection's

  std::mutex mutex;
  std::condition_variable idle;
  sqlite3_file* file = nullptr;  // null once closed; all below guarded by mutex
  enum class State { idle, owed, syncing } state = State::idle;
  int flags = 0;
  int failure = SQLITE_OK;
  std::uint64_t made = 0;

  static Hooked& of(sqlite3_file* file) {
    return *reinterpret_cast<const Methods*>(file->pMethods)->owner;
  }

  // Makes what is owed, if anything is.  REQUIRES: `lock` holds the mutex.
  void make(std::unique_lock<std::mutex>& lock) {
    if (state != State::owed || file == nullptr) return;
    state = State::syncing;
    lock.unlock();
    int code = original->xSync(file, flags);
    lock.lock();
    if (code != SQLITE_OK) failure = code;
    state = State::idle;
    idle.notify_all();
  }
  // Waits until nothing is owed; here, if the runner has not begun.  Answers how the last one ended.
  int settle() {
    std::unique_lock lock(mutex);
    make(lock);
    idle.wait(lock, [this] { return state == State::idle; });
    return failure;
  }
  // On the runner's thread.
  void run() {
    std::unique_lock lock(mutex);
    if (state != State::owed || file == nullptr) return;
    make(lock);
    ++made;
  }
  bool owes() {
    std::lock_guard lock(mutex);
    return state != State::idle || failure != SQLITE_OK;
  }
};

namespace {

using Hooked = LateSync::Hooked;

int sync_file(sqlite3_file* file, int flags) {
  Hooked& hooked = Hooked::of(file);
  int code = hooked.settle();
  if (code != SQLITE_OK) return code;
  if (!hooked.late) return hooked.original->xSync(file, flags);
  {
    std::lock_guard lock(hooked.mutex);
    hooked.state = Hooked::State::owed;
    hooked.flags = flags;
  }
  hooked.runner([self = hooked.shared_from_this()] { self->run(); });
  return SQLITE_OK;
}

int lock_index(sqlite3_file* file, int first, int count, int flags) {
  Hooked& hooked = Hooked::of(file);
  bool anew = flags == (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) && first == kSecondReadMark &&
              count == kReadMarksOfWal;
  if (anew && hooked.owes()) return SQLITE_BUSY;
  return hooked.original->xShmLock(file, first, count, flags);
}

// The last connection to close removes the WAL; it locks the file for it.
int lock_file(sqlite3_file* file, int level) {
  Hooked& hooked = Hooked::of(file);
  if (level == SQLITE_LOCK_EXCLUSIVE && hooked.settle() != SQLITE_OK) return SQLITE_BUSY;
  return hooked.original->xLock(file, level);
}

int close_file(sqlite3_file* file) {
  Hooked& hooked = Hooked::of(file);
  hooked.settle();
  const sqlite3_io_methods* original = hooked.original;
  {
    std::lock_guard lock(hooked.mutex);
    hooked.file = nullptr;
  }
  file->pMethods = original;
  return original->xClose(file);
}

}  // namespace

LateSync::LateSync(sqlite3* db, Runner runner) : hooked_(std::make_shared<Hooked>()) {
  sqlite3_file* file = nullptr;
  int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  MERIDIAN_CHECK(code == SQLITE_OK && file != nullptr && file->pMethods != nullptr);
  MERIDIAN_CHECK(file->pMethods->iVersion >= 2);
  hooked_->runner = std::move(runner);
  hooked_->file = file;
  hooked_->original = file->pMethods;
  hooked_->methods = {*file->pMethods, hooked_.get()};
  sqlite3_io_methods& table = hooked_->methods.table;
  table.xSync = sync_file;
  table.xShmLock = lock_index;
  table.xLock = lock_file;
  table.xClose = close_file;
  file->pMethods = &table;
}

LateSync::~LateSync() {
  std::lock_guard lock(hooked_->mutex);
  MERIDIAN_CHECK(hooked_->file == nullptr);
}

void LateSync::allow(bool late) { hooked_->late = late; }

bool LateSync::pending() const {
  std::lock_guard lock(hooked_->mutex);
  return hooked_->state != Hooked::State::idle;
}

bool LateSync::failed() const {
  std::lock_guard lock(hooked_->mutex);
  return hooked_->failure != SQLITE_OK;
}

std::uint64_t LateSync::made() const {
  std::lock_guard lock(hooked_->mutex);
  return hooked_->made;
}

RunnerThread::RunnerThread()
    : mailbox_(std::numeric_limits<std::size_t>::max()), thread_([this] { run(); }) {}

RunnerThread::~RunnerThread() {
  mailbox_.close();
  thread_.join();
}

void RunnerThread::post(std::function<void()> job) {
  bool posted = mailbox_.try_post(job);
  MERIDIAN_CHECK(posted);
}

void RunnerThread::run() {
  std::vector<std::function<void()>> jobs;
  while (mailbox_.wait_drain(jobs, kIdleTick))
    for (auto& job : jobs) job();
}

}  // namespace meridian::sqlite
