#include "tests/sim/store_host.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "common/check.h"
#include "region-node/store/inline_store.h"

namespace meridian::sim {
namespace {

// Files in memory are shared by name within the process, and several worlds may be alive.
std::string file_name(const StoreHost* host, const RegionId& region) {
  return fmt::format("sim-{}-{}", region.name(), fmt::ptr(host));
}

struct Close {
  void operator()(sqlite3* handle) const { sqlite3_close(handle); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

Handle open_in_memory(const std::string& name) {
  sqlite3* handle = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  int result = sqlite3_open_v2(("/" + name).c_str(), &handle, flags, "memdb");
  MERIDIAN_CHECK(result == SQLITE_OK);
  return Handle(handle);
}

void copy(const std::string& from, const std::string& to) {
  Handle source = open_in_memory(from);
  Handle target = open_in_memory(to);
  sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
  MERIDIAN_CHECK(backup != nullptr);
  MERIDIAN_CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
  MERIDIAN_CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
}

}  // namespace

struct StoreHost::File {
  explicit File(std::string name) : memory(std::move(name)) {}
  store::MemoryFile memory;
};

StoreHost::StoreHost(RegionId region, const Shape& shape, Clock& clock, Rng rng)
    : region_(region), shape_(shape), clock_(clock), rng_(rng) {
  file_ = std::make_unique<File>(file_name(this, region));
}

StoreHost::~StoreHost() = default;

void StoreHost::start(Disk disk) {
  store::StoreOptions options;
  options.region = region_;
  options.memory_name = file_->memory.name();
  options.stream_rollover_ms = shape_.stream_rollover_ms;
  options.retention_ms = shape_.retention_ms;
  options.unacknowledged_bytes_max = shape_.unacknowledged_bytes_max;
  // SQLite takes the file's present size for the least possible limit, so this is: not a page more.
  if (disk == Disk::full) options.pages_max = 1;
  options.cache_bytes = 4 << 20;
  options.reader_cache_bytes = 1 << 20;
  store_ = std::make_unique<store::InlineStore>(options, clock_, Rng(rng_.next()));
}

void StoreHost::crash() { store_.reset(); }

void StoreHost::back_up() {
  saved_ = std::make_unique<File>(file_->memory.name() + "-saved");
  copy(file_->memory.name(), saved_->memory.name());
}

void StoreHost::restore() {
  MERIDIAN_CHECK(!open() && saved_ != nullptr);
  file_ = std::move(saved_);
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
