#include "tools/bench/rows.h"

#include <fmt/format.h>

#include "common/check.h"
#include "region-node/model/image.h"
#include "region-node/model/key.h"

namespace meridian::bench {
namespace {

std::size_t place_of(BytesView in, std::string_view marker) {
  std::size_t at = in.find(marker);
  MERIDIAN_CHECK(at != BytesView::npos);
  return at;
}

}  // namespace

model::KeySchema row_schema() {
  return {{"pk", model::AttributeType::S}, model::KeyAttribute{"sk", model::AttributeType::S}};
}

void RowKeys::patch_partition(char* at, std::uint64_t number) const {
  fmt::format_to(at, "p{:07}", number % partitions_);
}

void RowKeys::patch_sort(char* at, std::uint64_t number) const {
  fmt::format_to(at, "s{:012}", number);
}

std::string RowKeys::first_partition() { return "p0000000"; }
std::string RowKeys::first_sort() { return "s000000000000"; }

Bytes random_bytes(Rng& rng, std::size_t size) {
  Bytes out;
  while (out.size() < size) put_u64(out, rng.next());
  out.resize(size);
  return out;
}

Rows::Rows(const Options& options, std::uint64_t seed)
    : keys_(options.partitions),
      payload_bytes_(options.payload_bytes),
      rng_(seed),
      pool_(random_bytes(rng_, (1 << 20) + payload_bytes_)) {
  model::Item item;
  const std::string payload(payload_bytes_, '#');
  item.emplace("pk", model::StringValue{RowKeys::first_partition()});
  item.emplace("sk", model::StringValue{RowKeys::first_sort()});
  item.emplace("payload", model::BinaryValue{payload});
  key_ = std::move(model::encode_key(row_schema(), item)).value();
  image_ = model::encode_image(item);
  key_pk_ = place_of(key_, RowKeys::first_partition());
  key_sk_ = place_of(key_, RowKeys::first_sort());
  image_pk_ = place_of(image_, RowKeys::first_partition());
  image_sk_ = place_of(image_, RowKeys::first_sort());
  image_payload_ = place_of(image_, payload);
}

BytesView Rows::key(std::uint64_t number) {
  keys_.patch_partition(key_.data() + key_pk_, number);
  keys_.patch_sort(key_.data() + key_sk_, number);
  return key_;
}

BytesView Rows::image(std::uint64_t number) {
  keys_.patch_partition(image_.data() + image_pk_, number);
  keys_.patch_sort(image_.data() + image_sk_, number);
  std::size_t from = rng_.below(pool_.size() - payload_bytes_);
  pool_.copy(image_.data() + image_payload_, payload_bytes_, from);
  return image_;
}

}  // namespace meridian::bench
