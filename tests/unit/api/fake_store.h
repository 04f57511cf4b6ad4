// FakeStore: a region's store over std::map, answering at once on the caller's thread, so that tests
// of the API see every answer before the call returns.  It keeps a change log per shard as a real one
// does, and can be told to refuse writes, trim its log and roll its stream shards over.
// Threads: one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "region-node/store/store.h"

namespace meridian::test {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_us() const override { return now_us; }
  [[nodiscard]] std::int64_t monotonic_us() const override { return now_us; }
  std::int64_t now_us = 1'700'000'000'123'456;
};

class FakeStore final : public store::Store {
 public:
  explicit FakeStore(const Clock& clock);

  // What the following writes are answered with, instead of being carried out; one entry each, empty
  // for an ordinary write.
  std::vector<std::optional<store::WriteStatus>> refusals;
  // Drops the log of every shard before this sequence.
  void trim_before(std::uint64_t sequence) { oldest_ = Sequence(sequence); }
  // Closes every open stream shard of the table and opens its child.
  void roll_over(const std::string& table);
  void set_replicas(const std::string& table, std::map<RegionId, store::ReplicaEntry> replicas);
  [[nodiscard]] std::size_t items(const std::string& table) const;

  [[nodiscard]] RegionId region() const override { return RegionId::of("us-east-1"); }
  [[nodiscard]] NodeId node_id() const override { return NodeId(1); }
  [[nodiscard]] StartId start_id() const override { return StartId(2); }
  [[nodiscard]] store::CatalogPtr catalog() const override { return catalog_; }
  [[nodiscard]] store::StoreHealth health() const override { return {}; }
  [[nodiscard]] std::unique_ptr<store::Reader> open_reader() override;
  [[nodiscard]] store::LogEndsPtr log_ends(const TableId&) const override { return nullptr; }
  void write(store::ItemWrite write) override;
  void apply(rpc::ReplicationBatch, NodeId,
             std::function<void(const rpc::ApplyOutcome&)> done) override {
    done({});
  }
  void apply_rows(rpc::RowsBatch, std::function<void(const rpc::RowsOutcome&)> done) override {
    done({});
  }
  void create_table(store::TableSpec spec, store::ControlDone done) override;
  void change_table(TableId table, store::TableChange change, store::ControlDone done) override;
  void drop_table(TableId table, bool force, store::ControlDone done) override;
  void merge_replicas(TableId, std::map<RegionId, store::ReplicaEntry>,
                      store::ControlDone done) override {
    done(Err(store::ControlError::unavailable));
  }
  void merge_settings(TableId, store::Settings, store::ControlDone done) override {
    done(Err(store::ControlError::unavailable));
  }
  void set_replica(TableId table, RegionId region, bool present, store::ControlDone done) override;
  void copy_step(TableId, store::CopyStep, store::ControlDone done) override {
    done(Err(store::ControlError::unavailable));
  }
  void acknowledge(std::vector<store::Acknowledgement>) override {}
  void pin_identity(RegionId, NodeId, store::PinDone done) override { done(true); }
  void replace_identity(RegionId, NodeId, store::Replaced, store::PinDone done) override {
    done(true);
  }
  void decide_parked(store::ParkedDecision, store::ParkedDone done) override { done({}); }
  void barrier(std::vector<TableId>, store::BarrierDone done) override { done(std::nullopt); }
  void advance(RegionId, NodeId, std::vector<rpc::Barrier>, store::AdvanceDone done) override {
    done(std::nullopt);
  }
  void adopt_watermarks(rpc::TableWatermarks, std::function<void(bool)> done) override {
    done(false);
  }
  void change_repair(store::RepairChange, store::RepairChangeDone done) override {
    done(std::nullopt);
  }
  void collect(store::CollectStep, store::CollectDone done) override { done(std::nullopt); }
  void repair_rows(rpc::RepairWork,
                   std::function<void(const rpc::RepairOutcome&)> done) override {
    done({});
  }
  void accept_clock() override {}
  void release_versions(RegionId, conflict::Hlc, std::function<void(bool)> done) override {
    done(false);
  }
  [[nodiscard]] store::ClockReport clock_report() const override { return {}; }
  void on_commit(std::function<void()>) override {}

 private:
  friend class FakeReader;
  using Items = std::map<Bytes, Bytes>;
  using Log = std::vector<rpc::ChangeRecord>;

  void publish(store::TableInfo table);
  void commit(const store::TableInfo& table, const Bytes& key, std::optional<Bytes> image);
  void enable_stream(store::TableInfo& table, model::StreamViewType view);
  void close_shards(const store::TableInfo& table, store::StreamInfo& stream);

  const Clock& clock_;
  store::CatalogPtr catalog_ = std::make_shared<store::Catalog>();
  std::map<TableId, Items> items_;
  std::map<std::pair<TableId, ShardId>, Log> logs_;
  Sequence oldest_{1};
  std::uint64_t tables_made_ = 0;
  std::uint64_t streams_made_ = 0;
};

}  // namespace meridian::test
