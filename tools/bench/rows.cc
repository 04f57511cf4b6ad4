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

std::string partition_of(std::uint64_t number) {
  return fmt::format("p{:03}", number % kPartitions);
}

std::string sort_of(std::uint64_t number) { return fmt::format("s{:012}", number); }

Bytes random_bytes(Rng& rng, std::size_t size) {
  Bytes out;
  while (out.size() < size) put_u64(out, rng.next());
  out.resize(size);
  return out;
}

Rows::Rows(std::size_t payload_bytes, std::uint64_t seed)
    : payload_bytes_(payload_bytes), rng_(seed), pool_(random_bytes(rng_, 1 << 20)) {
  model::Item item;
  const std::string payload(payload_bytes, '#');
  item.emplace("pk", model::StringValue{partition_of(0)});
  item.emplace("sk", model::StringValue{sort_of(0)});
  item.emplace("payload", model::BinaryValue{payload});
  key_ = std::move(model::encode_key(row_schema(), item)).value();
  image_ = model::encode_image(item);
  key_pk_ = place_of(key_, partition_of(0));
  key_sk_ = place_of(key_, sort_of(0));
  image_pk_ = place_of(image_, partition_of(0));
  image_sk_ = place_of(image_, sort_of(0));
  image_payload_ = place_of(image_, payload);
}

BytesView Rows::key(std::uint64_t number) {
  fmt::format_to(key_.data() + key_pk_, "p{:03}", number % kPartitions);
  fmt::format_to(key_.data() + key_sk_, "s{:012}", number);
  return key_;
}

BytesView Rows::image(std::uint64_t number) {
  fmt::format_to(image_.data() + image_pk_, "p{:03}", number % kPartitions);
  fmt::format_to(image_.data() + image_sk_, "s{:012}", number);
  std::size_t from = rng_.below(pool_.size() - payload_bytes_);
  pool_.copy(image_.data() + image_payload_, payload_bytes_, from);
  return image_;
}

}  // namespace meridian::bench
