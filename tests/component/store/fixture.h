// What the store's tests share: a clock that stands still until told, a store in a directory of its
// own, items, and writes that wait for their answers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/rng.h"
#include "region-node/model/image.h"
#include "region-node/model/key.h"
#include "region-node/store/inline_store.h"
#include "region-node/store/invariants.h"
#include "region-node/store/store.h"

namespace meridian::store {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_us() const override { return wall_us_; }
  [[nodiscard]] std::int64_t monotonic_us() const override { return monotonic_us_; }
  // Lets time pass.
  void advance_ms(std::int64_t ms) {
    wall_us_ += ms * 1000;
    monotonic_us_ += ms * 1000;
  }
  // Moves the wall clock alone.
  void step_ms(std::int64_t ms) { wall_us_ += ms * 1000; }

 private:
  std::int64_t wall_us_ = 1'800'000'000'000'000;
  std::int64_t monotonic_us_ = 5'000'000;
};

// A directory that goes away with the test.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline const RegionId kHere = RegionId::of("us-east-1");
inline const RegionId kThere = RegionId::of("eu-west-1");
inline const RegionId kElsewhere = RegionId::of("ap-northeast-1");
inline constexpr NodeId kThereNode{77};

model::KeySchema schema();
// Key of the item with pk=`pk`, in the schema above.
Bytes key_of(const std::string& pk);
// Canonical image of {pk: pk, value: value}.
Bytes image_of(const std::string& pk, const std::string& value);

class PutImage final : public ItemMutation {
 public:
  explicit PutImage(Bytes image) : image_(std::move(image)) {}
  Verdict evaluate(std::optional<BytesView> current) override;
  [[nodiscard]] std::size_t image_bytes() const override { return image_.size(); }
  std::optional<Bytes> seen;

 private:
  Bytes image_;
};
class RemoveItem final : public ItemMutation {
 public:
  Verdict evaluate(std::optional<BytesView> current) override;
};
class RejectAll final : public ItemMutation {
 public:
  Verdict evaluate(std::optional<BytesView> current) override;
};

// A replicated record of kThere.
rpc::ChangeRecord remote_put(std::uint64_t sequence, const std::string& pk,
                             const std::string& value, std::int64_t hlc_ms);
rpc::ChangeRecord remote_remove(std::uint64_t sequence, const std::string& pk, std::int64_t hlc_ms);

// An InlineStore on a real file.
class StoreTest : public ::testing::Test {
 protected:
  StoreTest();
  ~StoreTest() override;

  void open();
  void close() { store_.reset(); }
  void reopen() {
    close();
    open();
  }
  [[nodiscard]] std::string file() const { return options_.data_dir + "/store.db"; }
  // Closes the store, checks the file, opens it again.
  void check();

  TablePtr create(TableSpec spec);
  // A table with one shard, so that sequences are easy to tell.
  TablePtr create_single(const std::string& name = "T");
  // The same with kThere (and kElsewhere) as replicas.
  TablePtr create_global(const std::string& name = "T");
  ControlResult control(const std::function<void(ControlDone)>& call);
  // The same where nothing can go wrong.
  TablePtr expect_ok(const std::function<void(ControlDone)>& call);

  WriteResult mutate(const TablePtr& table, const std::string& pk,
                     std::shared_ptr<ItemMutation> mutation);
  WriteResult put(const TablePtr& table, const std::string& pk, const std::string& value);
  WriteResult remove(const TablePtr& table, const std::string& pk);
  rpc::ApplyOutcome apply(const TablePtr& table, LogPosition from, LogPosition to,
                          std::vector<rpc::ChangeRecord> records, NodeId node = kThereNode);
  void acknowledge(const TablePtr& table, const RegionId& sink, LogPosition position,
                   ShardId shard = ShardId(0));

  std::optional<Bytes> get(const TablePtr& table, const std::string& pk);
  rpc::LogPage log(const TablePtr& table, LogPosition after = {}, ShardId shard = ShardId(0));
  std::vector<rpc::ChangeRecord> stream(const TablePtr& table, ShardId shard = ShardId(0));
  std::int64_t now_ms() const { return clock_.wall_ms(); }

  TempDir dir_;
  ManualClock clock_;
  std::uint64_t seed_ = 1;
  StoreOptions options_;
  std::unique_ptr<InlineStore> store_;
};

}  // namespace meridian::store
