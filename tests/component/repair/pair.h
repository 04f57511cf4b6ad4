// A pair of regions for the tests of repair: two stores without threads on files in memory, rows put
// straight into either, and a session that is walked from one to the other in one go.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "region-node/repair/session.h"
#include "region-node/store/inline_store.h"

namespace meridian::repair {

class StillClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_us() const override { return now_us; }
  [[nodiscard]] std::int64_t monotonic_us() const override { return now_us; }
  std::int64_t now_us = 1'800'000'000'000'000;
};

inline const RegionId kEast = RegionId::of("us-east-1");
inline const RegionId kWest = RegionId::of("eu-west-1");
inline const RegionId kFar = RegionId::of("ap-northeast-1");
inline constexpr std::int64_t kEpochMs = 1'790'000'000'000;

Bytes key_of(std::uint64_t number);
Bytes image_of(std::uint64_t number, const std::string& value);

// One region with one table.
class Side {
 public:
  Side(const Clock& clock, RegionId region, const std::string& name);

  // Row `number` as `origin` wrote it at kEpochMs + `at`; without a value, a tombstone.
  void put(std::uint64_t number, std::int64_t at, std::optional<std::string> value,
           RegionId origin = kFar);
  [[nodiscard]] std::optional<store::Row> row(std::uint64_t number);
  [[nodiscard]] std::vector<store::Row> rows();
  // Takes these facts as its own, as after a repair.
  void know(const Facts& facts);
  [[nodiscard]] store::Reader& reader() { return *reader_; }
  [[nodiscard]] store::InlineStore& store() { return *store_; }
  [[nodiscard]] const TableId& table() const { return table_; }
  void flush();

 private:
  struct Clocked final : public Clock {
    explicit Clocked(const Clock& under) : clock(under) {}
    [[nodiscard]] std::int64_t wall_us() const override { return clock.wall_us(); }
    [[nodiscard]] std::int64_t monotonic_us() const override { return clock.monotonic_us(); }
    const Clock& clock;
  };
  Clocked clock_;
  store::MemoryFile file_;
  std::unique_ptr<store::InlineStore> store_;
  std::unique_ptr<store::Reader> reader_;
  TableId table_;
  std::map<RegionId, std::vector<rpc::ChangeRecord>> waiting_;
  std::map<RegionId, LogPosition> positions_;
};

// What a walk exchanged, roughly as it would be on the wire.
struct Traffic {
  std::uint64_t calls = 0;
  std::uint64_t bytes = 0;
};

struct Walked {
  SessionFigures figures;
  std::vector<Sample> samples;
  rpc::Digest digest_here;
  rpc::Digest digest_there;
  Traffic traffic;
  std::string nonsense;
};

Walked walk(Side& here, Side& there, Facts facts_here, Facts facts_there, Purpose purpose,
            SessionLimits limits = {});

// Facts of a side that claims everything of every origin up to kEpochMs + `at`.
Facts claims(std::int64_t at, std::int64_t collected_at = -1);

}  // namespace meridian::repair
