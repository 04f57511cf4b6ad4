// History: every write that a client asked for, and what became of it.  The oracle's only source of
// truth besides the rules: it never looks into a store.
//
// A write is `unknown` when its client got no answer (the node crashed, or the answer was lost): it
// may have happened or not.  `refused` and `rejected` writes must leave no trace.
// Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conflict/version.h"
#include "region-node/store/store.h"

namespace meridian::sim {

using WriteId = std::uint32_t;

// In the order of EventKind.
// `poison`: a put whose image no other region can apply.
enum class WriteKind { put, insert, append, remove, same, poison };
enum class WriteState { pending, acknowledged, rejected, refused, unknown };
const char* write_kind_name(WriteKind kind);

// The client's side of a write: what it wants done, and what it was shown last.
class ClientMutation final : public store::ItemMutation {
 public:
  // `bytes` of padding make the item large.
  ClientMutation(WriteId id, WriteKind kind, std::uint32_t key_number, std::size_t bytes)
      : id_(id), kind_(kind), key_number_(key_number), bytes_(bytes) {}

  store::Verdict evaluate(std::optional<BytesView> current) override;

  [[nodiscard]] bool evaluated() const { return evaluated_; }
  // The image that it was shown and the one that it asked for, at the last evaluation.
  [[nodiscard]] const std::optional<Bytes>& shown() const { return shown_; }
  [[nodiscard]] const std::optional<Bytes>& wanted() const { return wanted_; }

 private:
  store::Verdict put(Bytes image);

  WriteId id_;
  WriteKind kind_;
  std::uint32_t key_number_;
  std::size_t bytes_;
  bool evaluated_ = false;
  std::optional<Bytes> shown_;
  std::optional<Bytes> wanted_;
};

struct Write {
  WriteId id = 0;
  std::size_t region = 0;
  std::uint32_t key_number = 0;
  WriteKind kind = WriteKind::put;
  WriteState state = WriteState::pending;
  std::int64_t acknowledged_us = 0;       // true time
  std::int64_t acknowledged_wall_us = 0;  // the region's clock then
  conflict::Version version;              // when acknowledged
  bool origin_forgot = false;             // its region has lost its log, or that part of it, since
  conflict::Hlc seen_before;              // newest version that any client had read in the region
  std::shared_ptr<ClientMutation> mutation;
};

// Keys of the simulated table, by number.
const model::KeySchema& sim_schema();
Bytes key_of(std::uint32_t key_number);

class History {
 public:
  explicit History(std::size_t keys) : by_key_(keys) {}

  Write& begin(std::size_t region, std::uint32_t key_number, WriteKind kind, std::size_t bytes);
  void acknowledge(Write& write, const conflict::Version& version, std::int64_t true_us,
                   std::int64_t wall_us);

  // A region lost its memory of what it acknowledged: nobody is bound by that any more.
  void forfeit(Write& write) { write.state = WriteState::unknown; }

  [[nodiscard]] const std::deque<Write>& writes() const { return writes_; }
  [[nodiscard]] Write& write(WriteId id) { return writes_[id]; }
  [[nodiscard]] const std::vector<WriteId>& of_key(std::uint32_t key) const { return by_key_[key]; }
  [[nodiscard]] std::size_t keys() const { return by_key_.size(); }
  [[nodiscard]] std::optional<std::uint32_t> key_number(BytesView key) const;
  // Acknowledged writes with versions in (after, to].
  [[nodiscard]] std::vector<const Write*> between(conflict::Hlc after, conflict::Hlc to) const;
  [[nodiscard]] const Write* find(const conflict::Version& version) const;
  // The acknowledged write with the greatest version; null if there is none.
  [[nodiscard]] const Write* winner(std::uint32_t key_number) const;
  // A write of unknown outcome at this key and region that wanted this image; null if there is none.
  [[nodiscard]] const Write* unknown(std::uint32_t key_number, const conflict::Version& version,
                                     const std::optional<Bytes>& image,
                                     const std::vector<RegionId>& regions) const;
  [[nodiscard]] std::size_t count(WriteState state) const;

 private:
  std::deque<Write> writes_;  // index is the id
  std::vector<std::vector<WriteId>> by_key_;
  std::map<conflict::Version, WriteId> by_version_;
  std::map<Bytes, std::uint32_t> key_numbers_;
};

// "put #17 of key 3 in region 1 (2026-...)": for findings.
std::string describe(const Write& write);

}  // namespace meridian::sim
