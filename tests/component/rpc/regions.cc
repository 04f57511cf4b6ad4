#include "tests/component/rpc/regions.h"

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "common/sqlite/sqlite.h"
#include "region-node/api/error.h"
#include "region-node/model/image.h"
#include "region-node/model/key.h"

namespace meridian::test {
namespace {

using model::AttributeValue;
using model::Item;
using model::StringValue;

Item item_of(const std::string& key, const std::string& value) {
  Item item;
  item.emplace("pk", AttributeValue(StringValue{key}));
  item.emplace("v", AttributeValue(StringValue{value}));
  return item;
}

class Put final : public store::ItemMutation {
 public:
  explicit Put(Bytes image) : image_(std::move(image)) {}
  store::Verdict evaluate(std::optional<BytesView>) override {
    return {store::Verdict::Kind::put, image_};
  }

 private:
  Bytes image_;
};

class Remove final : public store::ItemMutation {
 public:
  store::Verdict evaluate(std::optional<BytesView>) override {
    return {store::Verdict::Kind::remove, {}};
  }
};

Bytes key_of(const store::TableInfo& table, const std::string& key) {
  return *model::encode_key(table.keys, item_of(key, ""));
}

std::string address(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

void MemoryLog::write(LogLevel level, std::string_view line) {
  std::lock_guard lock(mutex_);
  lines_.emplace_back(level, line);
}

std::size_t MemoryLog::count(LogLevel level) const {
  std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [at, line] : lines_) count += at == level ? 1 : 0;
  return count;
}

bool MemoryLog::contains(std::string_view text) const {
  std::lock_guard lock(mutex_);
  for (const auto& [level, line] : lines_)
    if (line.find(text) != std::string::npos) return true;
  return false;
}

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "meridian-rpc-XXXXXX").string();
  MERIDIAN_CHECK(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestRegion::TestRegion(const std::string& name, Ports ports)
    : id_(RegionId::of(name)), ports_(std::move(ports)) {}

TestRegion::~TestRegion() {
  stop_replicator();
  stop_node();
}

void TestRegion::start_node() {
  store::StoreOptions options;
  options.data_dir = dir_.path() + "/data";
  options.region = id_;
  options.shards = 2;
  options.accept_old_clock = clock.shift_us < 0;  // the test means it
  store_ = std::make_unique<store::SqliteStore>(options, clock, Rng::from_system());
  peer::PeerOptions peers;
  for (const auto& [region, port] : ports_) {
    if (region == id_) {
      peers.address = address(port);
    } else {
      peers.peers.emplace_back(region, address(port));
    }
  }
  peer_ = std::make_unique<peer::Peer>(*store_, clock, Rng::from_system(), Logger(log), peers);
  peer_->start();
}

void TestRegion::stop_node() {
  if (peer_) peer_->stop();
  peer_.reset();
  store_.reset();
}

void TestRegion::wipe() { std::filesystem::remove_all(dir_.path() + "/data"); }

void TestRegion::start_replicator() {
  replicator::ReplicatorOptions options;
  options.region = id_;
  for (const auto& [region, port] : ports_) {
    if (region == id_) {
      options.node_address = address(port);
    } else {
      options.peers.emplace_back(region, address(port));
    }
  }
  options.leases = leases_.get();
  replicator_ = std::make_unique<replicator::Replicator>(options, checkpoints_, clock,
                                                         Rng::from_system(), Logger(log));
  replicator_->start();
}

void TestRegion::stop_replicator() {
  if (replicator_) replicator_->stop();
  replicator_.reset();
}

void TestRegion::forget_checkpoints() {
  std::vector<checkpoint::CheckpointKey> keys;
  for (const auto& checkpoint : checkpoints_.load_all()) keys.push_back(checkpoint.key);
  checkpoints_.forget(keys);
}

void TestRegion::believe_complete(const std::string& name, const std::string& sink) {
  auto ends = store_->log_ends(table(name)->id);
  for (std::uint16_t shard = 0; shard < table(name)->shards; ++shard)
    checkpoints_.save_batch({{{RegionId::of(sink), table(name)->id, ShardId(shard)},
                              *ends->end(ShardId(shard)),
                              clock.wall_ms(),
                              0}});
}

void TestRegion::share_by_leases() {
  leases_ = std::make_unique<checkpoint::LeaseStore>(dir_.path() + "/leases");
}

void TestRegion::meddle(const std::string& sql) {
  sqlite::OpenOptions options{.mode = sqlite::OpenMode::read_write, .busy_timeout_ms = 10'000};
  sqlite::Database(dir_.path() + "/data/store.db", options).execute(sql);
}

store::TablePtr TestRegion::create_table(const std::string& name) {
  store::TableSpec spec;
  spec.name = name;
  spec.keys.partition = {"pk", model::AttributeType::S};
  std::promise<store::TablePtr> made;
  auto answer = made.get_future();
  store_->create_table(spec, [&made](store::ControlResult result) {
    made.set_value(result.ok() ? *result : nullptr);
  });
  return answer.get();
}

std::string TestRegion::wait_for(const std::function<void(api::ReplicaControl::Done)>& call) {
  std::promise<std::string> said;
  auto answer = said.get_future();
  call([&said](Result<void, api::ApiError> result) {
    said.set_value(result.ok() ? "" : result.error().type + ": " + result.error().message);
  });
  return answer.get();
}

store::TablePtr TestRegion::table(const std::string& name) { return store_->catalog()->find(name); }

std::string TestRegion::add_replica(const std::string& name, const std::string& region) {
  return wait_for([&](api::ReplicaControl::Done done) {
    peer_->control().create_replica(table(name), RegionId::of(region), std::move(done));
  });
}

std::string TestRegion::remove_replica(const std::string& name, const std::string& region) {
  return wait_for([&](api::ReplicaControl::Done done) {
    peer_->control().delete_replica(table(name), RegionId::of(region), std::move(done));
  });
}

std::string TestRegion::drop_table(const std::string& name) {
  return wait_for([&](api::ReplicaControl::Done done) {
    peer_->control().drop_table(table(name), std::move(done));
  });
}

std::string TestRegion::copy_text(const std::string& name) {
  return peer_->control().progress(table(name)->id)[id_].text;
}

void TestRegion::change_settings(const std::string& name,
                                 std::map<std::string, std::string> settings) {
  store::TableChange change;
  change.settings = std::move(settings);
  std::promise<void> changed;
  store_->change_table(table(name)->id, change,
                       [&changed](const store::ControlResult&) { changed.set_value(); });
  changed.get_future().wait();
  peer_->control().announce(table(name)->id);
}

store::WriteStatus TestRegion::put(const std::string& name, const std::string& key,
                                   const std::string& value) {
  auto info = table(name);
  std::promise<store::WriteStatus> done;
  store_->write({info->id, key_of(*info, key),
                 std::make_shared<Put>(model::encode_image(item_of(key, value))),
                 [&done](const store::WriteResult& result) { done.set_value(result.status); }});
  return done.get_future().get();
}

store::WriteStatus TestRegion::remove(const std::string& name, const std::string& key) {
  auto info = table(name);
  std::promise<store::WriteStatus> done;
  store_->write({info->id, key_of(*info, key), std::make_shared<Remove>(),
                 [&done](const store::WriteResult& result) { done.set_value(result.status); }});
  return done.get_future().get();
}

void TestRegion::put_many(const std::string& name, const std::string& prefix, std::size_t count,
                          const std::string& value) {
  auto info = table(name);
  std::vector<std::future<store::WriteStatus>> answers;
  for (std::size_t i = 0; i < count; ++i) {
    auto done = std::make_shared<std::promise<store::WriteStatus>>();
    answers.push_back(done->get_future());
    std::string key = prefix + std::to_string(i);
    store_->write({info->id, key_of(*info, key),
                   std::make_shared<Put>(model::encode_image(item_of(key, value))),
                   [done](const store::WriteResult& result) { done->set_value(result.status); }});
    if (answers.size() == 1000 || i + 1 == count) {
      for (auto& answer : answers) MERIDIAN_CHECK(answer.get() == store::WriteStatus::committed);
      answers.clear();
    }
  }
}

std::optional<std::string> TestRegion::get(const std::string& name, const std::string& key) {
  auto all = items(name);
  auto at = all.find(key);
  if (at == all.end()) return std::nullopt;
  return at->second;
}

std::map<std::string, std::string> TestRegion::items(const std::string& name) {
  std::map<std::string, std::string> out;
  auto info = table(name);
  if (!info) return out;
  store_->open_reader()->scan(
      info->id, {}, store::Direction::ascending, [&out](BytesView, BytesView image) {
        auto item = model::decode_image(image);
        out[item->at("pk").as<StringValue>()->text] = item->at("v").as<StringValue>()->text;
        return true;
      });
  return out;
}

std::size_t TestRegion::stream_records(const std::string& name) {
  auto info = table(name);
  auto reader = store_->open_reader();
  std::size_t count = 0;
  for (std::uint16_t shard = 0; shard < info->shards; ++shard) {
    Sequence from(1);
    for (;;) {
      auto page = reader->read_stream(info->id, ShardId(shard), from, std::nullopt, {});
      count += page.records.size();
      if (page.next == from) break;
      from = page.next;
    }
  }
  return count;
}

bool eventually(const std::function<bool()>& fine, std::int64_t ms_max) {
  SystemClock clock;
  auto end_ms = clock.monotonic_ms() + ms_max;
  while (!fine()) {
    if (clock.monotonic_ms() > end_ms) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace meridian::test
