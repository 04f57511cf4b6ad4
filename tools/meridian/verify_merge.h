// Compares the rows of several regions, read in key order, in one pass and little memory: 8 bytes
// per key, plus the keys that differ.
//
// Threads: one.  Pure: rows come from RowSource, which is pages over HTTP in the product and a
// vector in tests. Digest: XXH3-64 over the big-endian hashes of all keys in key order, each the
// XXH3-64 of key length (4 bytes), key, version length (2 bytes), version, image hash (8 bytes). It
// depends on content alone, so the same content gives the same digest in every region, release and
// run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.h"

namespace meridian::cli {

struct VerifyRow {
  Bytes key;
  Bytes version;             // encoded, for comparing
  std::string version_text;  // for people
  std::uint64_t image_hash = 0;
  bool tombstone = false;
  std::string readable_key;  // JSON

  [[nodiscard]] bool same_as(const VerifyRow& other) const {
    return key == other.key && version == other.version && image_hash == other.image_hash &&
           tombstone == other.tombstone;
  }
};

class RowSource {
 public:
  virtual ~RowSource() = default;
  // The next row in ascending key order; empty at the end.
  virtual std::optional<VerifyRow> next() = 0;
  // The row at `key` as it is now; empty when there is none.
  virtual std::optional<VerifyRow> read(BytesView key) = 0;
};

// One key as each region holds it, in the order of the sources.
using Holders = std::vector<std::optional<VerifyRow>>;

// A key that was not the same everywhere, and its place in the digest.
struct Difference {
  std::size_t index = 0;
  Holders holders;
};

class Comparison {
 public:
  explicit Comparison(std::vector<RowSource*> sources) : sources_(std::move(sources)) {}

  // Reads all sources to their end.  Throws std::runtime_error when one is out of order.
  void scan();
  // Reads every differing key again; those that are now the same everywhere stop differing.
  void read_differing_again();

  [[nodiscard]] const std::map<Bytes, Difference>& differing() const { return differing_; }
  [[nodiscard]] std::uint64_t keys() const { return hashes_.size(); }
  // Of the keys that are the same everywhere.
  [[nodiscard]] std::uint64_t items() const { return items_; }
  [[nodiscard]] std::uint64_t tombstones() const { return tombstones_; }
  // Keys that differed at first and then did not: writes that were on their way.
  [[nodiscard]] std::uint64_t settled() const { return settled_; }
  // REQUIRES: differing() is empty.
  [[nodiscard]] std::uint64_t digest() const;

 private:
  void agree(std::size_t index, const std::optional<VerifyRow>& row);

  std::vector<RowSource*> sources_;
  std::vector<std::uint64_t> hashes_;
  std::map<Bytes, Difference> differing_;
  std::uint64_t items_ = 0;
  std::uint64_t tombstones_ = 0;
  std::uint64_t settled_ = 0;
};

}  // namespace meridian::cli
