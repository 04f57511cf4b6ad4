#include "replicator/io/checkpoint_writer.h"

#include <chrono>
#include <exception>
#include <utility>
#include <vector>

namespace meridian::replicator {

CheckpointWriter::CheckpointWriter(checkpoint::CheckpointStore& store, const Clock& clock,
                                   Logger log)
    : store_(store), clock_(clock), log_(std::move(log)) {}

CheckpointWriter::~CheckpointWriter() { stop(); }

void CheckpointWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void CheckpointWriter::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CheckpointWriter::save(const checkpoint::CheckpointKey& key, LogPosition position,
                            std::uint64_t token) {
  {
    std::lock_guard lock(mutex_);
    waiting_[key] = Save{position, token};
  }
  changed_.notify_all();
}

void CheckpointWriter::drop(const checkpoint::CheckpointKey& key) {
  std::lock_guard lock(mutex_);
  waiting_.erase(key);
}

void CheckpointWriter::forget(const checkpoint::CheckpointKey& key) {
  {
    std::lock_guard lock(mutex_);
    waiting_[key] = std::nullopt;
  }
  changed_.notify_all();
}

void CheckpointWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    Work work = std::exchange(waiting_, {});
    bool last = stopping_;
    lock.unlock();
    if (!work.empty() && !write(work) && !last) put_back(std::move(work));
    lock.lock();
    if (last) return;
    // What comes meanwhile goes into one transaction.
    changed_.wait_for(lock, std::chrono::milliseconds(kIntervalMs), [this] { return stopping_; });
  }
}

bool CheckpointWriter::write(const Work& work) {
  std::vector<checkpoint::Checkpoint> saves;
  std::vector<checkpoint::CheckpointKey> gone;
  for (const auto& [key, save] : work) {
    if (save) {
      saves.push_back({key, save->position, clock_.wall_ms(), save->token});
    } else {
      gone.push_back(key);
    }
  }
  try {
    if (!gone.empty()) store_.forget(gone);
    std::vector<checkpoint::Checkpoint> refusals;
    if (!saves.empty()) refusals = store_.save_batch(saves);
    failing_ = false;
    // It would have moved back, or another worker has the lease.
    for (const auto& refused : refusals)
      log_.warn("checkpoint_refused", "table={} shard={} sink={} sequence={}",
                refused.key.table.hex(), refused.key.shard.value, refused.key.sink.name(),
                refused.position.sequence.value);
    return true;
  } catch (const std::exception& failure) {
    ++failures_;
    // The first of a row of failures is news.
    if (!std::exchange(failing_, true))
      log_.warn("checkpoint_save_failed", "reason=\"{}\"", failure.what());
    return false;
  }
}

void CheckpointWriter::put_back(Work work) {
  std::lock_guard lock(mutex_);
  // What came since is newer.
  waiting_.merge(work);
}

}  // namespace meridian::replicator
