// ReaderPool: a bounded set of store Readers, opened as needed and lent to one request at a time.
// Threads: borrow() from any; it waits when all are out.
// Borrows: the store.  Errors: what Store::open_reader throws.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "region-node/store/store.h"

namespace meridian::api {

class ReaderPool {
 public:
  ReaderPool(store::Store& store, std::size_t readers_max)
      : store_(store), readers_max_(readers_max) {}

  // Gives the Reader back when it goes out of scope.
  class Loan {
   public:
    Loan(ReaderPool& pool, std::unique_ptr<store::Reader> reader)
        : pool_(pool), reader_(std::move(reader)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.give_back(std::move(reader_)); }
    store::Reader* operator->() const { return reader_.get(); }
    store::Reader& operator*() const { return *reader_; }

   private:
    ReaderPool& pool_;
    std::unique_ptr<store::Reader> reader_;
  };

  Loan borrow();
  // Closes the idle ones.
  void clear();

 private:
  void give_back(std::unique_ptr<store::Reader> reader);

  store::Store& store_;
  const std::size_t readers_max_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<store::Reader>> idle_;  // guarded by mutex_
  std::size_t open_ = 0;                              // guarded by mutex_
};

}  // namespace meridian::api
