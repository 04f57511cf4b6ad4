// Rows: the items that are fed below HTTP, as the store wants them: encoded key and canonical image,
// made by patching digits and random bytes into one encoded item.
//
// A row is pk (one of Options::partitions, in turn), sk (ascending digits) and a payload of random
// bytes that no compression shrinks; so keys ascend within each partition.
// Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/bytes.h"
#include "common/rng.h"
#include "region-node/model/table.h"
#include "tools/bench/options.h"

namespace meridian::bench {

model::KeySchema row_schema();

// The key attributes' values of rows, always equally long, so that they can be patched in.
class RowKeys {
 public:
  explicit RowKeys(std::uint64_t partitions) : partitions_(partitions) {}
  // Both write over what is at `at`.
  void patch_partition(char* at, std::uint64_t number) const;
  void patch_sort(char* at, std::uint64_t number) const;
  // Of row 0.
  static std::string first_partition();
  static std::string first_sort();

 private:
  const std::uint64_t partitions_;
};

// `size` random bytes.
Bytes random_bytes(Rng& rng, std::size_t size);

class Rows {
 public:
  Rows(const Options& options, std::uint64_t seed);
  // The same key for the same number; views are valid until the next call.
  BytesView key(std::uint64_t number);
  // Another payload at each call.
  BytesView image(std::uint64_t number);

 private:
  const RowKeys keys_;
  const std::size_t payload_bytes_;
  Rng rng_;
  Bytes pool_;  // of random bytes, from which payloads are cut
  Bytes key_;
  Bytes image_;
  std::size_t key_pk_ = 0;  // where the attributes stand in key_ and image_
  std::size_t key_sk_ = 0;
  std::size_t image_pk_ = 0;
  std::size_t image_sk_ = 0;
  std::size_t image_payload_ = 0;
};

}  // namespace meridian::bench
