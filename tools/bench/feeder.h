// Feeder: writes rows into a store below HTTP, either as fast as it takes them or at a steady rate.
//
// Every row is a write of its own, answered after its commit.  A group of rows is handed over at
// once, which is as near as the store's interface comes to a transaction of many items.
// Threads: feed() runs on the caller's; completions on the store's writer.
// Errors: std::runtime_error when a write is refused.
// Limits: kOutstandingMax writes unanswered.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/rng.h"
#include "region-node/store/store.h"
#include "tools/bench/rows.h"

namespace meridian::bench {

inline constexpr std::size_t kOutstandingMax = 4096;

enum class Variety { new_keys, updates };
const char* variety_name(Variety variety);

struct FeedPlan {
  Variety variety = Variety::new_keys;
  std::size_t group = 1;
  double per_second = 0;       // 0: as fast as the store answers
  std::int64_t run_ms = 0;     // ends after this
  std::uint64_t rows_max = 0;  // or, unless 0, after so many rows
};

struct FeedReport {
  std::uint64_t rows = 0;
  double seconds = 0;  // until the last was answered
};

// A put of one image, whatever was there.
class PutImage final : public store::ItemMutation {
 public:
  explicit PutImage(BytesView image) : image_(image) {}
  store::Verdict evaluate(std::optional<BytesView>) override {
    return {store::Verdict::Kind::put, image_};
  }

 private:
  const Bytes image_;
};

// Feeds one table; remembers how many rows it has.
class Feeder {
 public:
  Feeder(const Options& options, store::Store& store, TableId table)
      : store_(store),
        table_(table),
        rows_(options, options.seed),
        rng_(options.seed),
        update_keys_(options.update_keys) {}

  FeedReport feed(const FeedPlan& plan);
  // Rows that the table has: numbers 0 to size() - 1.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Updates are spread over the first so many rows.
  void set_update_keys(std::uint64_t keys) { update_keys_ = keys; }

 private:
  class Window;
  void submit(Variety variety, Window& window);

  store::Store& store_;
  const TableId table_;
  Rows rows_;
  Rng rng_;
  std::uint64_t update_keys_;
  std::uint64_t size_ = 0;
};

}  // namespace meridian::bench
