// WalCopyRule: when the WAL's pages are to be copied into the database file.
//
// Every client waits while pages are copied and synced.  With little groups that is what the worst
// latency is made of, so a copy is kept short; with large ones, where nobody counts milliseconds,
// what counts is to copy seldom: a page that many groups changed is then copied once, and the copy
// has a sync of its own.
// Pure.  Threads: one.  Units: pages, which are frames of the WAL.
#pragma once

#include <algorithm>

namespace meridian::store {

class WalCopyRule {
 public:
  explicit WalCopyRule(int pages_least) : pages_least_(pages_least) {}

  // After a commit, with the frames that the WAL now holds.
  bool due(int frames) {
    // The WAL starts anew once all of it was copied and no reader stands in it.
    bool anew = frames < copied_ || frames < committed_;
    if (anew) copied_ = 0;
    int group = anew ? frames : frames - committed_;
    committed_ = frames;
    return frames - copied_ >= std::max(pages_least_, std::min(kGroups * group, kPagesMost));
  }
  void copied(int frames) { copied_ = frames; }

 private:
  static constexpr int kGroups = 12;       // like the last one, that a copy covers
  static constexpr int kPagesMost = 4096;  // 32 MB: nobody shall wait for longer than that takes

  const int pages_least_;
  int committed_ = 0;  // frames after the last commit
  int copied_ = 0;     // of them, in the database file
};

}  // namespace meridian::store
