// StreamWatch: a consumer of the stream of one table in one region that reads every change as it
// appears, and checks that what it reads makes sense by itself (P8, P9): sequences ascend, versions of
// a key strictly rise, each old image is the new image before it, nothing comes twice, and reading
// everything again later gives the same records.
//
// Threads: one.  Borrows: everything it is made with.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/rng.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class StreamWatch {
 public:
  StreamWatch(std::size_t region, std::size_t table, Outside& outside);

  [[nodiscard]] std::size_t region() const { return region_; }
  [[nodiscard]] const TableId& table() const { return table_; }

  // Reads what is new, if the node is up.
  void poll();
  // Reads all of it again from the beginning, in other pages.
  void read_again();

  struct Seen {
    conflict::Version version;
    std::optional<Bytes> image;
  };
  // The newest record of each key.
  [[nodiscard]] const std::map<Bytes, Seen>& newest() const { return newest_; }
  [[nodiscard]] bool has(const Bytes& key, const conflict::Version& version) const {
    return records_.contains({key, version});
  }
  [[nodiscard]] bool gaps() const { return gaps_; }

 private:
  struct Shard {
    Sequence next{1};
    std::vector<std::uint64_t> hashes;  // of each record read, in order
  };
  void read(ShardId shard, Shard& state);
  void take(const rpc::ChangeRecord& record);
  void skip_trimmed(ShardId shard, Shard& state);
  void bad(const char* property, const rpc::ChangeRecord& record, const char* what);

  // How many records to read at once: any number does.
  store::LogLimits some_limits(std::uint64_t most) const;

  std::size_t region_;
  Outside& outside_;
  TableId table_;
  bool gaps_ = false;  // something was trimmed before it was read
  std::vector<Shard> shards_;
  std::map<Bytes, Seen> newest_;
  std::map<std::pair<Bytes, conflict::Version>, Sequence> records_;
};

}  // namespace meridian::sim
