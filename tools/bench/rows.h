// Rows: the items that are fed below HTTP, as the store wants them: encoded key and canonical image,
// made by patching digits and random bytes into one encoded item.
//
// A row is pk ("p000" to "p063", in turn), sk (ascending digits) and a payload of random bytes that
// no compression shrinks; so keys ascend within each of 64 partitions.
// Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/bytes.h"
#include "common/rng.h"
#include "region-node/model/table.h"

namespace meridian::bench {

inline constexpr std::uint64_t kPartitions = 64;

model::KeySchema row_schema();
// The key attributes' values of row `number`, as they stand in a request.
std::string partition_of(std::uint64_t number);
std::string sort_of(std::uint64_t number);
// `size` random bytes.
Bytes random_bytes(Rng& rng, std::size_t size);

class Rows {
 public:
  Rows(std::size_t payload_bytes, std::uint64_t seed);
  // The same key for the same number; views are valid until the next call.
  BytesView key(std::uint64_t number);
  // Another payload at each call.
  BytesView image(std::uint64_t number);

 private:
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
