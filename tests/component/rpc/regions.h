// TestRegion: a whole region in this process: SQLite store, peer server, replicator, on loopback
// sockets; and the little that tests need to write to it and to look inside.
//
// Threads: one; the region's own threads run beside it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/lease_store.h"
#include "checkpoint/memory_store.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/rng.h"
#include "region-node/peer/peer.h"
#include "region-node/store/sqlite_store.h"
#include "replicator/supervisor.h"

namespace meridian::test {

// Keeps lines for a test to look at.
class MemoryLog final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override;
  [[nodiscard]] std::size_t count(LogLevel level) const;
  [[nodiscard]] bool contains(std::string_view text) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

// A wall clock that a test may shift.
class ShiftedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_us() const override { return system_.wall_us() + shift_us; }
  [[nodiscard]] std::int64_t monotonic_us() const override { return system_.monotonic_us(); }
  std::atomic<std::int64_t> shift_us{0};

 private:
  SystemClock system_;
};

// A folder that goes away with the test.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using Ports = std::vector<std::pair<RegionId, std::uint16_t>>;

class TestRegion {
 public:
  // `ports`: peer RPC port of every region, this one included.
  TestRegion(const std::string& name, Ports ports);
  ~TestRegion();

  void start_node();
  void stop_node();
  // Takes the data directory away.  REQUIRES: the node is stopped.
  void wipe();
  void start_replicator();
  void stop_replicator();
  void forget_checkpoints();
  // Checkpoints that say of all shards of the table that the sink has everything.
  void believe_complete(const std::string& table, const std::string& sink);
  // From its next start on the replicator takes leases, from a table of them that is empty.
  void share_by_leases();
  // Changes the node's database behind its back.
  void meddle(const std::string& sql);

  store::TablePtr create_table(const std::string& name);
  // Through the control plane; the error's type and text, empty when all went well.
  std::string add_replica(const std::string& table, const std::string& region);
  std::string remove_replica(const std::string& table, const std::string& region);
  std::string drop_table(const std::string& table);
  // How far the replica here is that is being filled, for people.
  std::string copy_text(const std::string& table);
  // A change of settings as UpdateTable makes it, told to the other regions.
  void change_settings(const std::string& table, std::map<std::string, std::string> settings);

  // Answers the status of a client's put or delete of {pk: key, v: value}.
  store::WriteStatus put(const std::string& table, const std::string& key,
                         const std::string& value);
  store::WriteStatus remove(const std::string& table, const std::string& key);
  // Many puts, answered together.
  void put_many(const std::string& table, const std::string& prefix, std::size_t count,
                const std::string& value);
  std::optional<std::string> get(const std::string& table, const std::string& key);
  // Key and value of every item.
  std::map<std::string, std::string> items(const std::string& table);
  // Stream records of all shards.
  std::size_t stream_records(const std::string& table);

  store::Store& store() { return *store_; }
  replicator::Replicator& replicator() { return *replicator_; }
  [[nodiscard]] RegionId id() const { return id_; }

  ShiftedClock clock;
  std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();

 private:
  std::string wait_for(const std::function<void(api::ReplicaControl::Done)>& call);
  store::TablePtr table(const std::string& name);

  const RegionId id_;
  const Ports ports_;
  TempDir dir_;
  checkpoint::MemoryCheckpointStore checkpoints_;
  std::unique_ptr<checkpoint::LeaseStore> leases_;  // null: none are taken
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<peer::Peer> peer_;
  std::unique_ptr<replicator::Replicator> replicator_;
};

// Calls `fine` until it answers true; false after `ms_max`.
bool eventually(const std::function<bool()>& fine, std::int64_t ms_max = 10'000);

}  // namespace meridian::test
