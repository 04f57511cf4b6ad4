// Bounded queue from many threads to one.  The consumer takes everything at once (one lock per
// drained batch), which is what makes group commit fall out of the load.
//
// Threads: try_post(), close() from any; wait_drain() and drain() from the one consumer.
// Errors: try_post() answers false when full or closed, and the item is left with the caller, who
// decides (HTTP answers a throttling error, RPC delays its reply).
// Limits: `capacity` items, given at construction.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace meridian {

template <typename T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t capacity) : capacity_(capacity) {}

  // Takes `item` and answers true, or leaves it alone and answers false.
  [[nodiscard]] bool try_post(T& item) {
    {
      std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= capacity_) {
        ++refused_;
        return false;
      }
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  // Waits until there is something, or `timeout` has passed, or the mailbox was closed; swaps what
  // is there into `out` (which is cleared first).  Answers false once closed and empty.
  bool wait_drain(std::vector<T>& out, std::chrono::milliseconds timeout) {
    out.clear();
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, timeout, [this] { return closed_ || !items_.empty(); });
    out.swap(items_);
    return !(closed_ && out.empty());
  }

  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  [[nodiscard]] std::size_t depth() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }
  [[nodiscard]] std::size_t refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<T> items_;     // guarded by mutex_
  std::size_t refused_ = 0;  // guarded by mutex_
  bool closed_ = false;      // guarded by mutex_
};

}  // namespace meridian
