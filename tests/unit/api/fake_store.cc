#include "tests/unit/api/fake_store.h"

#include "region-node/model/key.h"

namespace meridian::test {

using store::ControlError;
using store::WriteStatus;

class FakeReader final : public store::Reader {
 public:
  explicit FakeReader(FakeStore& store) : store_(store) {}

  std::optional<Bytes> get(const TableId& table, BytesView key) override {
    auto& items = store_.items_[table];
    auto at = items.find(Bytes(key));
    return at == items.end() ? std::nullopt : std::optional(at->second);
  }

  void scan(const TableId& table, const store::KeyRange& range, store::Direction direction,
            const std::function<bool(BytesView, BytesView)>& visit) override {
    auto& items = store_.items_[table];
    auto from = range.from_excluded ? items.upper_bound(range.from) : items.lower_bound(range.from);
    auto to = range.to ? items.lower_bound(*range.to) : items.end();
    if (direction == store::Direction::ascending) {
      for (auto at = from; at != to && visit(at->first, at->second);) ++at;
      return;
    }
    while (to != from) {
      --to;
      if (!visit(to->first, to->second)) return;
    }
  }

  std::vector<store::Row> scan_rows(const TableId&, BytesView, std::size_t) override { return {}; }
  std::optional<store::Row> get_row(const TableId&, BytesView) override { return std::nullopt; }
  rpc::RowsPage read_rows(const rpc::RowsRead&) override { return {}; }
  std::optional<Bytes> cursor(const TableId&, const std::string&) override { return std::nullopt; }
  void visit_rows(const TableId&, BytesView, std::optional<BytesView>,
                  const std::function<bool(const store::RowView&)>&) override {}
  rpc::CopyOffer copy_offer(const rpc::OfferQuestion&) override { return {}; }
  rpc::LogPage read_log(const TableId&, ShardId, const LogPosition&,
                        const store::LogLimits&) override {
    return {};
  }

  StreamPage read_stream(const TableId& table, ShardId shard, Sequence from,
                         std::optional<Sequence> to, const store::LogLimits& limits) override {
    StreamPage page;
    page.next = from;
    page.trimmed = from < store_.oldest_;
    if (page.trimmed) return page;
    for (const auto& record : store_.logs_[{table, shard}]) {
      if (record.sequence < from || (to && record.sequence > *to)) continue;
      if (page.records.size() == limits.records_max) break;
      if (record.in_stream) page.records.push_back(record);
      page.next = record.sequence.next();
    }
    return page;
  }

  ShardSpan shard_span(const TableId& table, ShardId shard) override {
    return {store_.oldest_, Sequence(store_.logs_[{table, shard}].size())};
  }
  LogPosition flow_position(const rpc::FlowId&) override { return {}; }
  store::Backlog backlog(const TableId&, ShardId, const RegionId&) override { return {}; }
  store::TableStats stats(const TableId& table) override {
    store::TableStats out;
    for (const auto& [key, image] : store_.items_[table]) {
      ++out.items;
      out.item_bytes += image.size();
    }
    return out;
  }
  std::vector<store::ParkedRecord> parked(const TableId&, std::size_t, std::int64_t) override {
    return {};
  }
  std::vector<store::ParkedRecord> parked_of_key(const TableId&, BytesView, std::size_t) override {
    return {};
  }
  store::ParkedStats parked_stats(const TableId&) override { return {}; }
  store::LedgerSummary ledger(const TableId&) override { return {}; }
  store::LedgerPage conflicts(const TableId&, const store::LedgerQuery&) override { return {}; }
  store::KeyHistory key_history(const TableId&, BytesView, std::size_t) override { return {}; }
  std::map<std::pair<RegionId, ShardId>, LogPosition> flow_positions(const TableId&) override {
    return {};
  }
  rpc::Watermarks watermarks(const TableId&) override { return {}; }
  conflict::Hlc collected(const TableId&) override { return {}; }
  std::optional<conflict::Hlc> oldest_tombstone(const TableId&) override { return std::nullopt; }

 private:
  FakeStore& store_;
};

FakeStore::FakeStore(const Clock& clock) : clock_(clock) {}

std::unique_ptr<store::Reader> FakeStore::open_reader() {
  return std::make_unique<FakeReader>(*this);
}

std::size_t FakeStore::items(const std::string& table) const {
  auto at = items_.find(catalog_->find(table)->id);
  return at == items_.end() ? 0 : at->second.size();
}

void FakeStore::publish(store::TableInfo table) {
  auto next = std::make_shared<store::Catalog>(*catalog_);
  auto shared = std::make_shared<const store::TableInfo>(std::move(table));
  next->by_name[shared->name] = shared;
  next->by_id[shared->id] = shared;
  ++next->generation;
  catalog_ = next;
}

void FakeStore::write(store::ItemWrite write) {
  std::optional<WriteStatus> refusal;
  if (!refusals.empty()) {
    refusal = refusals.front();
    refusals.erase(refusals.begin());
  }
  if (refusal) return write.done({*refusal, {}});
  auto table = catalog_->find(write.table);
  if (!table) return write.done({WriteStatus::no_such_table, {}});
  auto& items = items_[write.table];
  auto at = items.find(write.key);
  auto current = at == items.end() ? std::nullopt : std::optional<BytesView>(at->second);
  // Twice, because the real writer may: the last evaluation counts.
  (void)write.mutation->evaluate(current);
  auto verdict = write.mutation->evaluate(current);
  if (verdict.kind == store::Verdict::Kind::reject) return write.done({WriteStatus::rejected, {}});
  commit(*table, write.key,
         verdict.kind == store::Verdict::Kind::put ? std::optional(verdict.image) : std::nullopt);
  write.done({WriteStatus::committed, {}});
}

void FakeStore::commit(const store::TableInfo& table, const Bytes& key,
                       std::optional<Bytes> image) {
  auto& items = items_[table.id];
  auto shard = model::shard_of(table.keys, key, table.shards);
  auto& log = logs_[{table.id, shard}];
  rpc::ChangeRecord record;
  record.sequence = Sequence(log.size() + 1);
  record.key = key;
  record.committed_us = clock_.wall_us();
  record.new_image = image;
  auto at = items.find(key);
  if (at != items.end()) record.old_image = at->second;
  record.in_stream = table.enabled_stream() && record.new_image != record.old_image;
  log.push_back(record);
  if (image)
    items[key] = *image;
  else
    items.erase(key);
}

void FakeStore::enable_stream(store::TableInfo& table, model::StreamViewType view) {
  store::StreamInfo stream;
  stream.label = "2026-01-01T00:00:0" + std::to_string(streams_made_++) + ".000";
  stream.view = view;
  stream.created_ms = clock_.wall_ms();
  for (std::uint16_t i = 0; i < table.shards; ++i) {
    store::StreamShard shard;
    shard.shard = ShardId(i);
    shard.first = Sequence(logs_[{table.id, ShardId(i)}].size() + 1);
    shard.created_ms = clock_.wall_ms();
    stream.shards.push_back(shard);
  }
  table.streams.push_back(std::move(stream));
}

void FakeStore::close_shards(const store::TableInfo& table, store::StreamInfo& stream) {
  for (auto& shard : stream.shards)
    if (!shard.last) shard.last = Sequence(logs_[{table.id, shard.shard}].size());
}

void FakeStore::roll_over(const std::string& name) {
  auto table = *catalog_->find(name);
  auto& stream = table.streams.back();
  auto before = stream.shards;
  close_shards(table, stream);
  for (const auto& parent : before) {
    if (parent.last) continue;
    store::StreamShard child;
    child.shard = parent.shard;
    child.generation = parent.generation + 1;
    child.first = Sequence(logs_[{table.id, parent.shard}].size() + 1);
    child.created_ms = clock_.wall_ms();
    stream.shards.push_back(child);
  }
  publish(std::move(table));
}

void FakeStore::set_replicas(const std::string& name,
                             std::map<RegionId, store::ReplicaEntry> replicas) {
  auto table = *catalog_->find(name);
  table.replicas = std::move(replicas);
  publish(std::move(table));
}

void FakeStore::set_replica(TableId id, RegionId region, bool present, store::ControlDone done) {
  auto table = *catalog_->find(id);
  table.replicas[region].present = present;
  table.replicas[this->region()].present = true;
  publish(std::move(table));
  done(catalog_->find(id));
}

void FakeStore::create_table(store::TableSpec spec, store::ControlDone done) {
  if (catalog_->find(spec.name)) return done(Err(ControlError::already_exists));
  store::TableInfo table;
  table.id = {0xabc, ++tables_made_};
  table.name = spec.name;
  table.keys = spec.keys;
  table.shards = 2;
  table.created_ms = clock_.wall_ms();
  table.settings = spec.settings;
  table.deletion_protection = spec.deletion_protection;
  if (spec.stream) enable_stream(table, *spec.stream);
  auto id = table.id;
  publish(std::move(table));
  done(catalog_->find(id));
}

void FakeStore::change_table(TableId id, store::TableChange change, store::ControlDone done) {
  auto found = catalog_->find(id);
  if (!found) return done(Err(ControlError::no_such_table));
  auto table = *found;
  if (change.enable_stream) {
    if (table.enabled_stream()) return done(Err(ControlError::stream_enabled));
    enable_stream(table, *change.enable_stream);
  }
  if (change.disable_stream) {
    if (!table.enabled_stream()) return done(Err(ControlError::stream_disabled));
    close_shards(table, table.streams.back());
    table.streams.back().disabled_ms = clock_.wall_ms();
  }
  conflict::Version changed{table.settings.newest().next(), region()};
  for (const auto& [name, value] : change.settings) table.settings.set(name, value, changed);
  if (change.deletion_protection) table.deletion_protection = *change.deletion_protection;
  publish(std::move(table));
  done(catalog_->find(id));
}

void FakeStore::drop_table(TableId id, bool, store::ControlDone done) {
  auto table = catalog_->find(id);
  if (!table) return done(Err(ControlError::no_such_table));
  if (table->deletion_protection) return done(Err(ControlError::protected_table));
  auto next = std::make_shared<store::Catalog>(*catalog_);
  next->by_name.erase(table->name);
  next->by_id.erase(id);
  catalog_ = next;
  items_.erase(id);
  done(table);
}

}  // namespace meridian::test
