#include "tools/bench/bare_sqlite.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "common/clock.h"
#include "common/sqlite/sqlite.h"
#include "conflict/context.h"
#include "conflict/version.h"
#include "region-node/model/key.h"
#include "region-node/store/schema.h"
#include "region-node/store/wal_copy_rule.h"
#include "tools/bench/process.h"

namespace meridian::bench {
namespace {

using sqlite::Query;
using sqlite::Statement;
using sqlite::Text;

constexpr std::int64_t kNumber = 1;  // of the only table

struct Shard {
  Statement append;
  Statement link;
  std::uint64_t end = 0;

  Shard(sqlite::Database& db, ShardId id)
      : append(db, "INSERT INTO " + store::log_table(kNumber, id) +
                       "(seq, key, version, parent, context, prev_seq, committed_us, kind, flags,"
                       " local_records, local_bytes, old_image)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"),
        link(db, "INSERT INTO " + store::next_table(kNumber, id) + "(seq, by) VALUES(?1, ?2)") {}
};

class BareStore {
 public:
  BareStore(const Options& options, const std::string& file)
      : db_(open(options, file)),
        find_(*db_, "SELECT id, version, context, seq, image FROM " + store::item_table(kNumber) +
                        " WHERE key = ?1"),
        insert_(*db_, "INSERT INTO " + store::item_table(kNumber) +
                          "(key, version, context, seq, image) VALUES(?1, ?2, ?3, ?4, ?5)"),
        update_(*db_, "UPDATE " + store::item_table(kNumber) +
                          " SET version = ?2, context = ?3, seq = ?4, image = ?5 WHERE id = ?1"),
        position_(*db_, "INSERT OR REPLACE INTO flows(number, source, shard, start, seq)"
                        " VALUES(?1, ?2, ?3, ?4, ?5)"),
        begin_(*db_, "BEGIN IMMEDIATE"),
        commit_(*db_, "COMMIT"),
        rows_(options, options.seed) {
    for (std::uint16_t i = 0; i < options.shards; ++i)
      shards_.push_back(std::make_unique<Shard>(*db_, ShardId(i)));
    version_.region = RegionId::of("us-east-1");
    version_.hlc = conflict::Hlc::at_ms(clock_.wall_ms());
  }

  // One transaction with the rows of these numbers.
  template <typename Number>
  void write_group(std::size_t group, Number number) {
    begin_.execute();
    now_us_ = clock_.wall_us();
    for (std::size_t i = 0; i < group; ++i) write(number());
    for (std::uint16_t i = 0; i < shards_.size(); ++i)
      position_.execute(kNumber, Text{version_.region.name()}, i, std::uint64_t{1},
                        shards_[i]->end);
    commit_.execute();
    checkpoint();
  }

 private:
  static std::unique_ptr<sqlite::Database> open(const Options& options, const std::string& file) {
    auto db = std::make_unique<sqlite::Database>(file, sqlite::OpenOptions{});
    store::configure_writer(*db, store::StoreOptions{});
    store::create_schema(*db);
    store::create_table_storage(*db, kNumber, options.shards);
    return db;
  }

  void write(std::uint64_t number) {
    BytesView key = rows_.key(number);
    BytesView image = rows_.image(number);
    auto id = model::shard_of(row_schema_, key, static_cast<std::uint16_t>(shards_.size()));
    Shard& shard = *shards_[id.value];
    std::uint64_t sequence = ++shard.end;
    version_.hlc = version_.hlc.next();
    version_bytes_.clear();
    conflict::encode_version(version_bytes_, version_);
    std::int64_t row = 0;
    std::uint64_t replaced = 0;
    {
      Query found = find_.run(key);
      bool there = found.step();
      std::optional<BytesView> old_version;
      std::optional<BytesView> old_image;
      if (there) {
        row = found.int64(0);
        old_version = found.blob(1);
        replaced = found.uint64(3);
        old_image = found.blob(4);
      }
      shard.append.execute(sequence, key, version_bytes_, old_version, BytesView(context_),
                           replaced, now_us_, static_cast<int>(store::kPut),
                           static_cast<int>(store::kInStream), std::uint64_t{0}, std::uint64_t{0},
                           old_image);
      if (there) shard.link.execute(replaced, sequence);
    }
    if (row != 0) {
      update_.execute(row, version_bytes_, BytesView(context_), sequence, image);
    } else {
      insert_.execute(key, version_bytes_, BytesView(context_), sequence, image);
    }
  }

  // When the engine does it, but each with its sync.
  void checkpoint() {
    if (wal_copy_.due(db_->wal_frames(), false) == store::WalCopy::none) return;
    db_->checkpoint_passive();
    wal_copy_.copied(db_->wal_frames());
  }

  SystemClock clock_;
  std::unique_ptr<sqlite::Database> db_;
  Statement find_;
  Statement insert_;
  Statement update_;
  Statement position_;
  Statement begin_;
  Statement commit_;
  std::vector<std::unique_ptr<Shard>> shards_;
  Rows rows_;
  const model::KeySchema row_schema_ = bench::row_schema();
  conflict::Version version_;
  Bytes version_bytes_;
  const Bytes context_ = conflict::Context().encode();
  std::int64_t now_us_ = 0;
  store::WalCopyRule wal_copy_{store::StoreOptions{}.wal_checkpoint_pages};
};

}  // namespace

BareReport run_bare_sqlite(const Options& options, const WorkDir& dir, Variety variety,
                           std::size_t group) {
  BareReport out{.per_second = 0, .cpu_us_per_row = 0, .group = std::max<std::size_t>(1, group)};
  std::string folder = dir.path() + "/bare";
  std::filesystem::create_directories(folder);
  {
    BareStore store(options, folder + "/store.db");
    std::uint64_t rows = 0;
    auto next = [&rows] { return rows++; };
    if (variety == Variety::updates)
      while (rows < options.update_keys) store.write_group(1000, next);
    std::uint64_t filled = rows;
    Rng rng(options.seed);
    SystemClock clock;
    Usage before = own_usage();
    std::int64_t begun_us = clock.monotonic_us();
    std::int64_t now_us = begun_us;
    std::uint64_t written = 0;
    for (; now_us - begun_us < options.bare_ms * 1000; now_us = clock.monotonic_us()) {
      if (variety == Variety::updates) {
        store.write_group(out.group, [&] { return rng.below(filled); });
      } else {
        store.write_group(out.group, next);
      }
      written += out.group;
    }
    out.per_second = static_cast<double>(written) * 1e6 / static_cast<double>(now_us - begun_us);
    out.cpu_us_per_row = static_cast<double>(own_usage().cpu_us - before.cpu_us) /
                         static_cast<double>(written);
  }
  std::filesystem::remove_all(folder);
  return out;
}

}  // namespace meridian::bench
