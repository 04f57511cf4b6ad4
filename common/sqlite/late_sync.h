// LateSync: lets the sync of a database file that a WAL was copied into be made later, elsewhere,
// while the connection goes on committing.
//
// A copy of the WAL ends with a sync of the database file; what is copied is safe without it as long as
// the WAL is there, for whoever opens the file after a crash copies it again.  So the sync may come
// late, if until then the WAL is neither begun anew nor removed.  Both need a lock of the database file
// (of all read marks, or of the file), and both find it taken while a sync is owed, as if a reader stood
// in the WAL: SQLite then appends.  After a sync that failed they find it taken for good.
//
// Threads: pending(), failed() and made() from any; the rest is the connection's.  The file's own sync
// is called on the runner's thread, while the connection may read and write the file.
// Owns: its share of what the hooks need.  REQUIRES: outlives the connection that it hooks.
// Errors: a sync that failed late is told by failed(), and by the next sync of the file.
// Source: walRestartLog(), sqlite3WalClose() and walCheckpoint() of SQLite 3.40.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "common/mailbox.h"

struct sqlite3;

namespace meridian::sqlite {

// Runs what it is given, soon and on another thread; or later on the same one, in simulations.
using Runner = std::function<void(std::function<void()>)>;

class LateSync {
 public:
  // Hooks the database file of `db`.
  LateSync(sqlite3* db, Runner runner);
  ~LateSync();
  LateSync(const LateSync&) = delete;
  LateSync& operator=(const LateSync&) = delete;

  // While allowed, syncs of the database file come late; else they are made at once, after those owed.
  void allow(bool late);
  // A sync is owed: asked for and not yet made.
  [[nodiscard]] bool pending() const;
  [[nodiscard]] bool failed() const;
  // Syncs that the runner has made.
  [[nodiscard]] std::uint64_t made() const;

  struct Hooked;

 private:
  std::shared_ptr<Hooked> hooked_;
};

// A runner with a thread of its own.  What still waits at its end is run.
class RunnerThread {
 public:
  RunnerThread();
  ~RunnerThread();
  RunnerThread(const RunnerThread&) = delete;
  RunnerThread& operator=(const RunnerThread&) = delete;

  void post(std::function<void()> job);

 private:
  void run();

  Mailbox<std::function<void()>> mailbox_;
  std::thread thread_;
};

}  // namespace meridian::sqlite
