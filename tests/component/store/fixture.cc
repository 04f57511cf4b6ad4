#include "tests/component/store/fixture.h"

#include <cstdlib>
#include <filesystem>

namespace meridian::store {

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "store-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

model::KeySchema schema() { return {{"pk", model::AttributeType::S}, std::nullopt}; }

Bytes key_of(const std::string& pk) {
  model::Item item;
  item.emplace("pk", model::StringValue{pk});
  return std::move(model::encode_key(schema(), item)).value();
}

Bytes image_of(const std::string& pk, const std::string& value) {
  model::Item item;
  item.emplace("pk", model::StringValue{pk});
  item.emplace("value", model::StringValue{value});
  return model::encode_image(item);
}

Verdict PutImage::evaluate(std::optional<BytesView> current) {
  seen.reset();
  if (current) seen = Bytes(*current);
  return {Verdict::Kind::put, image_};
}

Verdict RemoveItem::evaluate(std::optional<BytesView>) { return {Verdict::Kind::remove, {}}; }
Verdict RejectAll::evaluate(std::optional<BytesView>) { return {Verdict::Kind::reject, {}}; }

rpc::ChangeRecord remote_put(std::uint64_t sequence, const std::string& pk,
                             const std::string& value, std::int64_t hlc_ms) {
  rpc::ChangeRecord record = remote_remove(sequence, pk, hlc_ms);
  record.new_image = image_of(pk, value);
  return record;
}

rpc::ChangeRecord remote_remove(std::uint64_t sequence, const std::string& pk,
                                std::int64_t hlc_ms) {
  rpc::ChangeRecord record;
  record.sequence = Sequence(sequence);
  record.key = key_of(pk);
  record.version = {conflict::Hlc::at_ms(hlc_ms), kThere};
  record.committed_us = hlc_ms * 1000;
  return record;
}

StoreTest::StoreTest() {
  options_.data_dir = dir_.path() + "/data";
  options_.region = kHere;
  options_.cache_bytes = 16 << 20;
  options_.sync = false;  // nothing here crashes the machine
  open();
}

StoreTest::~StoreTest() {
  if (!store_) return;
  close();
  auto problems = check_store_invariants(file());
  for (const auto& problem : problems) ADD_FAILURE() << problem;
}

void StoreTest::open() { store_ = std::make_unique<InlineStore>(options_, clock_, Rng(seed_++)); }

void StoreTest::check() {
  close();
  for (const auto& problem : check_store_invariants(file())) ADD_FAILURE() << problem;
  open();
}

ControlResult StoreTest::control(const std::function<void(ControlDone)>& call) {
  std::optional<ControlResult> answer;
  call([&answer](ControlResult result) { answer = std::move(result); });
  store_->run_pending();
  EXPECT_TRUE(answer.has_value());
  return answer.value_or(ControlResult(Err(ControlError::unavailable)));
}

TablePtr StoreTest::expect_ok(const std::function<void(ControlDone)>& call) {
  auto result = control(call);
  EXPECT_TRUE(result.ok());
  return result.ok() ? *result : nullptr;
}

TablePtr StoreTest::create(TableSpec spec) {
  return expect_ok([&](ControlDone done) { store_->create_table(spec, std::move(done)); });
}

TablePtr StoreTest::create_single(const std::string& name) {
  TableSpec spec;
  spec.name = name;
  spec.keys = schema();
  spec.shards = 1;
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  return create(std::move(spec));
}

TablePtr StoreTest::create_global(const std::string& name) {
  TableSpec spec;
  spec.name = name;
  spec.keys = schema();
  spec.shards = 1;
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  conflict::Version changed{conflict::Hlc::at_ms(now_ms()), kHere};
  for (const auto& region : {kHere, kThere, kElsewhere})
    spec.replicas[region] = ReplicaEntry{true, changed};
  return create(std::move(spec));
}

WriteResult StoreTest::mutate(const TablePtr& table, const std::string& pk,
                              std::shared_ptr<ItemMutation> mutation) {
  std::optional<WriteResult> answer;
  store_->write({table->id, key_of(pk), std::move(mutation),
                 [&answer](const WriteResult& result) { answer = result; }});
  store_->run_pending();
  EXPECT_TRUE(answer.has_value());
  return answer.value_or(WriteResult{});
}

WriteResult StoreTest::put(const TablePtr& table, const std::string& pk, const std::string& value) {
  return mutate(table, pk, std::make_shared<PutImage>(image_of(pk, value)));
}

WriteResult StoreTest::remove(const TablePtr& table, const std::string& pk) {
  return mutate(table, pk, std::make_shared<RemoveItem>());
}

rpc::ApplyOutcome StoreTest::apply(const TablePtr& table, LogPosition from, LogPosition to,
                                   std::vector<rpc::ChangeRecord> records, NodeId node) {
  rpc::ReplicationBatch batch{{table->id, ShardId(0), kThere}, from, to, std::move(records)};
  std::optional<rpc::ApplyOutcome> answer;
  store_->apply(std::move(batch), node,
                [&answer](const rpc::ApplyOutcome& outcome) { answer = outcome; });
  store_->run_pending();
  EXPECT_TRUE(answer.has_value());
  return answer.value_or(rpc::ApplyOutcome{});
}

void StoreTest::acknowledge(const TablePtr& table, const RegionId& sink, LogPosition position,
                            ShardId shard) {
  store_->acknowledge({{table->id, shard, sink, position}});
  store_->run_pending();
}

std::optional<Bytes> StoreTest::get(const TablePtr& table, const std::string& pk) {
  return store_->open_reader()->get(table->id, key_of(pk));
}

rpc::LogPage StoreTest::log(const TablePtr& table, LogPosition after, ShardId shard) {
  return store_->open_reader()->read_log(table->id, shard, after, {});
}

std::vector<rpc::ChangeRecord> StoreTest::stream(const TablePtr& table, ShardId shard) {
  auto reader = store_->open_reader();
  auto span = reader->shard_span(table->id, shard);
  return reader->read_stream(table->id, shard, span.oldest, std::nullopt, {}).records;
}

}  // namespace meridian::store
