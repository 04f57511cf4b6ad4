// Compares the rows of several regions, range by range: where their digests are the same, the rows are;
// where they are not, the rows themselves are read and merged.
//
// Threads: one calls; the regions are asked at the same time, each on a thread of its own.
// Borrows: the sources: pages over HTTP in the product, vectors in tests.
// Digest of a table: the sum of the hashes of its rows, each the XXH3-64 of key length (4 bytes), key,
// version, image hash (8 bytes), 0 for a tombstone.  It depends on content alone, so the same content
// gives the same digest in every region, release and run.
// Collected tombstones: those at or below the newest that any region has collected count as gone.
// Errors: what a source throws; std::runtime_error when one answers nonsense.
// Limits: memory for the rows of one range, and for the keys that differ.
// Source: ADR 0020.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "conflict/version.h"

namespace meridian::cli {

struct VerifyRow {
  Bytes key;
  Bytes version;             // encoded, for comparing
  std::string version_text;  // for people; of rows that were read by their key
  std::uint64_t image_hash = 0;
  bool tombstone = false;
  std::string readable_key;  // JSON; of rows that were read by their key

  [[nodiscard]] bool same_as(const VerifyRow& other) const {
    return key == other.key && version == other.version && image_hash == other.image_hash &&
           tombstone == other.tombstone;
  }
};
std::uint64_t hash_of(const VerifyRow& row);

// The rows of a range, added up.
struct RangeDigest {
  std::optional<Bytes> to;  // up to which key; empty: the end of the table
  std::uint64_t sum = 0;
  std::uint64_t items = 0;
  std::uint64_t tombstones = 0;

  [[nodiscard]] bool same_as(const RangeDigest& other) const {
    return sum == other.sum && items == other.items && tombstones == other.tombstones;
  }
};

// One region.  A range holds the keys after `after`, up to and with `to`, or to the end of the table.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // The newest tombstone that was collected there by now.
  virtual conflict::Hlc collected() = 0;
  // Of as many rows as the source likes.  Tombstones at or below the horizon are left out.
  virtual RangeDigest digest(BytesView after, const std::optional<Bytes>& to,
                             conflict::Hlc horizon) = 0;
  // The whole range, in ascending key order.
  virtual std::vector<VerifyRow> rows(BytesView after, const std::optional<Bytes>& to,
                                      conflict::Hlc horizon) = 0;
  // The rows at these keys as they are now, in that order; empty where there is none.
  virtual std::vector<std::optional<VerifyRow>> read(const std::vector<Bytes>& keys) = 0;
};

// One key as each region holds it, in the order of the sources.
using Holders = std::vector<std::optional<VerifyRow>>;

class Comparison {
 public:
  explicit Comparison(std::vector<RowSource*> sources) : sources_(std::move(sources)) {}

  // Reads all sources to their end.
  void scan();
  // Reads every differing key again; those that are now the same everywhere stop differing.
  void read_differing_again();

  [[nodiscard]] const std::map<Bytes, Holders>& differing() const { return differing_; }
  [[nodiscard]] std::uint64_t keys() const { return items_ + tombstones_ + differing_.size(); }
  // Of the keys that are the same everywhere.
  [[nodiscard]] std::uint64_t items() const { return items_; }
  [[nodiscard]] std::uint64_t tombstones() const { return tombstones_; }
  // Keys that differed at first and then did not: writes that were on their way.
  [[nodiscard]] std::uint64_t settled() const { return settled_; }
  // REQUIRES: differing() is empty.
  [[nodiscard]] std::uint64_t digest() const;

 private:
  std::optional<Bytes> scan_range(const Bytes& after);
  void merge(std::vector<std::vector<VerifyRow>> rows);
  void agree(const std::optional<VerifyRow>& row);
  void learn_horizon();
  void forget_collected(std::optional<VerifyRow>& row) const;
  // Runs `ask` for each source at the same time.
  void each(const std::function<void(std::size_t)>& ask);

  std::vector<RowSource*> sources_;
  conflict::Hlc horizon_;
  std::map<Bytes, Holders> differing_;
  std::uint64_t sum_ = 0;
  std::uint64_t items_ = 0;
  std::uint64_t tombstones_ = 0;
  std::uint64_t settled_ = 0;
};

}  // namespace meridian::cli
