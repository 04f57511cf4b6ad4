#include "region-node/api/reader_pool.h"

namespace meridian::api {

ReaderPool::Loan ReaderPool::borrow() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty() || open_ < readers_max_; });
    if (!idle_.empty()) {
      auto reader = std::move(idle_.back());
      idle_.pop_back();
      return {*this, std::move(reader)};
    }
    ++open_;
  }
  try {
    return {*this, store_.open_reader()};
  } catch (...) {
    std::lock_guard lock(mutex_);
    --open_;
    returned_.notify_one();
    throw;
  }
}

void ReaderPool::clear() {
  std::lock_guard lock(mutex_);
  open_ -= idle_.size();
  idle_.clear();
}

void ReaderPool::give_back(std::unique_ptr<store::Reader> reader) {
  {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(reader));
  }
  returned_.notify_one();
}

}  // namespace meridian::api
