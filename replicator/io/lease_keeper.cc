#include "replicator/io/lease_keeper.h"

#include <chrono>
#include <exception>
#include <utility>

namespace meridian::replicator {

LeaseKeeper::LeaseKeeper(checkpoint::LeaseStore& store, checkpoint::WorkerId worker,
                         checkpoint::LeaseTiming timing, const Clock& clock, Rng rng, Logger log)
    : timing_(timing),
      name_(worker.text()),
      clock_(clock),
      log_(std::move(log)),
      worker_(store, std::move(worker), timing, rng) {
  figures_.worker = name_;
  figures_.lease_ms = timing_.lease_ms;
}

LeaseKeeper::~LeaseKeeper() { stop(); }

void LeaseKeeper::start(Changed changed) {
  changed_ = std::move(changed);
  thread_ = std::thread([this] { run(); });
}

void LeaseKeeper::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LeaseKeeper::set_shards(std::set<checkpoint::LeaseKey> shards) {
  {
    std::lock_guard lock(mutex_);
    if (known_ && shards_ == shards) return;
    shards_ = std::move(shards);
    known_ = true;
    hurry_ = true;
  }
  wake_.notify_all();
}

void LeaseKeeper::let_go(const checkpoint::LeaseKey& key, std::uint64_t token,
                         std::vector<checkpoint::Checkpoint> checkpoints) {
  {
    std::lock_guard lock(mutex_);
    released_[{key, token}] = std::move(checkpoints);
    hurry_ = true;
  }
  wake_.notify_all();
}

LeaseFigures LeaseKeeper::figures() const {
  std::int64_t now_ms = clock_.monotonic_ms();
  std::lock_guard lock(mutex_);
  LeaseFigures out = figures_;
  if (looked_ms_) out.look_ms = now_ms - *looked_ms_;
  for (auto& row : out.rows) {
    if (row.owner.empty()) continue;
    const auto& sight = sights_.of({row.table, row.shard});
    row.held_ms = now_ms - sight.held_since_ms;
    row.silent_ms = now_ms - sight.alive_ms;
  }
  return out;
}

void LeaseKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, std::chrono::milliseconds(timing_.round_ms),
                   [this] { return stopping_ || hurry_; });
    hurry_ = false;
    if (stopping_ || !known_) continue;
    auto shards = shards_;
    auto released = std::exchange(released_, {});
    lock.unlock();
    round(shards, std::move(released));
    lock.lock();
  }
  lock.unlock();
  let_go_of_all();
}

void LeaseKeeper::round(const std::set<checkpoint::LeaseKey>& shards, Released released) {
  try {
    while (!released.empty()) {
      const auto& [what, checkpoints] = *released.begin();
      worker_.let_go(what.first, what.second, checkpoints);
      released.erase(released.begin());
    }
    auto outcome = worker_.round(shards, clock_.monotonic_ms());
    note(outcome);
    failing_ = false;
    bool news = !outcome.gained.empty() || !outcome.lost.empty() || !outcome.hand_over.empty();
    if (news) changed_(std::move(outcome));
  } catch (const std::exception& failure) {
    std::lock_guard lock(mutex_);
    released_.merge(released);
    ++figures_.rounds_failed;
    // The first of a row of failures is news.
    if (!std::exchange(failing_, true))
      log_.warn("lease_round_failed", "reason=\"{}\"", failure.what());
  }
}

void LeaseKeeper::note(const checkpoint::LeaseWorker::Outcome& outcome) {
  for (const auto& gained : outcome.gained)
    log_.info("lease_gained", "table={} shard={} token={}", gained.key.table.hex(),
              gained.key.shard.value, gained.token);
  for (const auto& key : outcome.lost)
    log_.warn("lease_lost", "table={} shard={}", key.table.hex(), key.shard.value);
  for (const auto& key : outcome.hand_over)
    log_.info("lease_handed_over", "table={} shard={}", key.table.hex(), key.shard.value);
  std::lock_guard lock(mutex_);
  looked_ms_ = clock_.monotonic_ms();
  sights_.see(worker_.rows(), *looked_ms_);
  figures_.rows.clear();
  for (const auto& row : worker_.rows())
    figures_.rows.push_back(
        {row.key.table, {}, row.key.shard, row.owner, row.wanted, row.token, {}, {}});
  figures_.held = worker_.book().held().size();
  figures_.gained += outcome.gained.size();
  figures_.lost += outcome.lost.size();
}

void LeaseKeeper::let_go_of_all() {
  try {
    while (!worker_.book().held().empty()) {
      auto [key, token] = *worker_.book().held().begin();
      worker_.let_go(key, token, {});
    }
  } catch (const std::exception& failure) {
    // The others take them when this worker has been silent for long enough.
    log_.warn("leases_not_let_go", "reason=\"{}\"", failure.what());
  }
}

}  // namespace meridian::replicator
