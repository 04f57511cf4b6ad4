#include "tests/sim/store_host.h"

#include "common/check.h"
#include "region-node/store/inline_store.h"
#include "region-node/store/invariants.h"
#include "tests/sim/derived.h"

namespace meridian::sim {
namespace {

constexpr const char* kFileName = "store.db";

}  // namespace

StoreHost::StoreHost(std::size_t index, RegionId region, const Shape& shape, Clock& clock)
    : index_(index),
      region_(region),
      shape_(shape),
      clock_(clock),
      disk_(derived(shape.seed, Luck::disk, {index}).next()) {}

StoreHost::~StoreHost() { crash(SimDisk::Loss::nothing); }

bool StoreHost::start(std::uint32_t start) {
  store::StoreOptions options;
  options.region = region_;
  options.memory_name = kFileName;
  options.vfs = disk_.vfs();
  options.stream_rollover_ms = shape_.stream_rollover_ms;
  options.retention_ms = shape_.retention_ms;
  options.unacknowledged_bytes_max = shape_.unacknowledged_bytes_max;
  options.tombstone_retention_ms = shape_.tombstone_retention_ms;
  options.collect_rows_max = 4;
  options.wal_checkpoint_pages = shape_.wal_checkpoint_pages;
  options.cache_bytes = 4 << 20;
  options.reader_cache_bytes = 1 << 20;
  told_clock_ = false;
  auto open = [&] {
    store_ = std::make_unique<store::InlineStore>(
        options, clock_, derived(shape_.seed, Luck::store, {index_, start}));
  };
  try {
    try {
      open();
    } catch (const store::ClockBehind&) {
      told_clock_ = true;
      options.accept_old_clock = true;
      open();
    }
    return true;
  } catch (const std::runtime_error&) {
    if (disk_.faults_since_revived() == 0) throw;
    return false;
  }
}

void StoreHost::crash(SimDisk::Loss loss) {
  disk_.die();
  store_.reset();
  disk_.revive(loss);
}

std::vector<std::string> StoreHost::invariants() const {
  return store::check_store_invariants(std::string("/") + kFileName, disk_.vfs());
}

store::Store& StoreHost::store() {
  MERIDIAN_CHECK(open());
  return *store_;
}

void StoreHost::commit() {
  MERIDIAN_CHECK(open());
  store_->run_pending();
}

bool StoreHost::pending() const { return open() && store_->pending() > 0; }

}  // namespace meridian::sim
