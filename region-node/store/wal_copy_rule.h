// WalCopyRule: when the WAL's pages are to be copied into the database file, and whether the copy's sync
// may come late (common/sqlite/late_sync.h).
//
// Every client waits while pages are copied.  With little groups that is what the worst latency is made
// of, so a copy is kept short; with large ones, where nobody counts milliseconds, what counts is to copy
// seldom: a page that many groups changed is then copied once.  Nobody waits for a late sync; but
// while one is owed the WAL goes on growing, and under load it is never begun anew.  So a WAL that has
// become long is ended by a copy that is synced at once: a short one if it can be had.
// Pure.  Threads: one.  Units: pages, which are frames of the WAL.
#pragma once

#include <algorithm>

namespace meridian::store {

enum class WalCopy { none, late, now };

class WalCopyRule {
 public:
  explicit WalCopyRule(int pages_least) : pages_least_(pages_least) {}

  // After a commit, with the frames that the WAL now holds.  `syncing`: a late sync is owed.
  WalCopy due(int frames, bool syncing) {
    // The WAL starts anew once all of it was copied and no reader stands in it.
    bool anew = frames < copied_ || frames < committed_;
    if (anew) copied_ = ended_ = 0;
    int group = anew ? frames : frames - committed_;
    committed_ = frames;
    int left = frames - copied_;
    bool enough = left >= std::max(pages_least_, std::min(kGroups * group, kPagesMost));
    if (frames >= 2 * long_wal() && enough) return WalCopy::now;
    if (syncing) return WalCopy::none;
    // A reader may have been in the way, and may be there for long.
    if (frames - ended_ >= long_wal() && left <= pages_least_) {
      ended_ = frames;
      return WalCopy::now;
    }
    return enough ? WalCopy::late : WalCopy::none;
  }
  void copied(int frames) { copied_ = frames; }

 private:
  static constexpr int kGroups = 12;       // like the last one, that a copy covers
  static constexpr int kPagesMost = 4096;  // 32 MB: nobody shall wait for longer than that takes

  [[nodiscard]] int long_wal() const { return 6 * pages_least_; }

  const int pages_least_;
  int committed_ = 0;  // frames after the last commit
  int copied_ = 0;     // of them, in the database file
  int ended_ = 0;      // when it was last tried to end the WAL
};

}  // namespace meridian::store
