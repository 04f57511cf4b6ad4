// SharedState: what other threads may see of the engine: the catalog, the health, and who listens.
//
// Threads: any; one mutex.  Owns: nothing that points back, so readers may outlive the engine.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "region-node/store/store.h"
#include "region-node/store/table_info.h"

namespace meridian::store {

// A catalog with the numbers of its tables' storage.
struct PublishedCatalog {
  Catalog catalog;
  std::map<TableId, std::int64_t> numbers;
  std::map<TableId, std::shared_ptr<LogEnds>> log_ends;
};

class SharedState {
 public:
  [[nodiscard]] std::shared_ptr<const PublishedCatalog> published() const {
    std::lock_guard lock(mutex_);
    return published_;
  }
  [[nodiscard]] CatalogPtr catalog() const {
    auto published = this->published();
    return {published, &published->catalog};
  }
  [[nodiscard]] LogEndsPtr log_ends(const TableId& table) const {
    auto published = this->published();
    auto at = published->log_ends.find(table);
    return at == published->log_ends.end() ? nullptr : at->second;
  }
  void publish(std::shared_ptr<const PublishedCatalog> published) {
    std::lock_guard lock(mutex_);
    published_ = std::move(published);
  }

  [[nodiscard]] StoreHealth health() const {
    std::lock_guard lock(mutex_);
    return health_;
  }
  void set_health(const StoreHealth& health) {
    std::lock_guard lock(mutex_);
    health_ = health;
  }

  [[nodiscard]] ClockReport clock() const {
    std::lock_guard lock(mutex_);
    return clock_;
  }
  void set_clock(ClockReport clock) {
    std::lock_guard lock(mutex_);
    clock_ = std::move(clock);
  }

  // What a reader has found damaged; the engine looks before each group.
  void report_damage(const std::string& what) {
    std::lock_guard lock(mutex_);
    if (damage_.empty()) damage_ = what;
    damaged_ = true;
  }
  // Empty when nothing is known to be damaged.
  [[nodiscard]] std::string damage() const {
    if (!damaged_.load(std::memory_order_relaxed)) return {};
    std::lock_guard lock(mutex_);
    return damage_;
  }

  // Returns when no call of an earlier listener is under way.
  void set_listener(std::function<void()> listener) {
    std::lock_guard lock(listener_mutex_);
    listener_ = std::move(listener);
  }
  void notify() {
    std::lock_guard lock(listener_mutex_);
    if (listener_) listener_();
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const PublishedCatalog> published_ = std::make_shared<PublishedCatalog>();
  StoreHealth health_;
  ClockReport clock_;
  std::string damage_;  // guarded by mutex_
  std::atomic<bool> damaged_{false};
  std::mutex listener_mutex_;
  std::function<void()> listener_;
};

}  // namespace meridian::store
