// Encodings that are stored or handed out: images, keys, numbers, versions, contexts, iterators.
//
// Input: one letter that says which encoding, then the bytes.  They are refused, or they are the very
// bytes that their value is encoded as: nothing that is stored has two encodings.
#include <string>

#include "conflict/context.h"
#include "conflict/version.h"
#include "region-node/api/stream_ids.h"
#include "region-node/model/image.h"
#include "region-node/model/item_size.h"
#include "region-node/model/key.h"
#include "region-node/model/number.h"
#include "tests/fuzz/fuzz.h"

namespace meridian::fuzz {
namespace {

using model::AttributeType;

void check_image(std::string_view bytes) {
  auto item = model::decode_image(bytes);
  if (!item) return;
  expect(model::encode_image(*item) == bytes, "an item has one image");
  (void)model::item_size(*item);
  (void)model::image_hash(bytes);
}

void check_key(std::string_view bytes) {
  constexpr AttributeType kTypes[] = {AttributeType::S, AttributeType::N, AttributeType::B};
  unsigned choice = take_byte(bytes);
  model::KeySchema schema;
  schema.partition = {"p", kTypes[choice % 3]};
  if (choice / 3 % 4 != 3) schema.sort = model::KeyAttribute{"s", kTypes[choice / 3 % 4]};
  (void)model::shard_of(schema, bytes, 16);
  auto item = model::decode_key(schema, bytes);
  if (!item) return;
  auto encoded = model::encode_key(schema, *item);
  expect(encoded.ok() && *encoded == bytes, "an item has one key");
  auto partition = model::partition_part(schema, bytes);
  expect(partition && bytes.starts_with(*partition), "the partition comes first");
  if (auto end = model::prefix_end(*partition)) expect(*end > bytes, "an end lies behind its keys");
}

void check_ordered_number(std::string_view bytes) {
  auto rest = bytes;
  auto text = model::decode_number_ordered(rest);
  if (!text) return;
  Bytes again;
  model::encode_number_ordered(again, *text);
  expect(again == bytes.substr(0, bytes.size() - rest.size()), "a number has one encoding");
}

void check_numbers(std::string_view text) {
  auto first = model::canonical_number(take_until(text, ' '));
  auto second = model::canonical_number(text);
  for (const auto* number : {&first, &second}) {
    if (!number->ok()) return;
    auto again = model::canonical_number(**number);
    expect(again.ok() && *again == **number, "canonical text stays as it is");
    Bytes encoded;
    model::encode_number_ordered(encoded, **number);
    BytesView rest = encoded;
    auto decoded = model::decode_number_ordered(rest);
    expect(decoded == **number && rest.empty(), "a number comes back");
  }
  Bytes a;
  Bytes b;
  model::encode_number_ordered(a, *first);
  model::encode_number_ordered(b, *second);
  expect((a <=> b) == model::compare_numbers(*first, *second), "bytes have the order of numbers");
  auto sum = model::add_numbers(*first, *second);
  if (!sum.ok()) return;
  auto back = model::subtract_numbers(*sum, *second);
  expect(back.ok() && *back == *first, "sums are exact");
}

void check_version(std::string_view bytes) {
  auto version = conflict::decode_version(bytes);
  if (!version) return;
  expect(conflict::encode_version(*version) == bytes, "a version has one encoding");
  (void)conflict::to_text(*version);
}

void check_context(std::string_view bytes) {
  auto context = conflict::Context::decode(bytes);
  if (!context) return;
  expect(context->encode() == bytes, "a context has one encoding");
  expect(conflict::Context::from_entries(context->entries()) == *context, "its entries ascend");
}

void check_iterator(std::string_view text) {
  auto iterator = api::decode_iterator(text);
  if (!iterator) return;
  // Base64 has spare bits, so a client may say it otherwise than we did.
  auto ours = api::encode_iterator(*iterator);
  auto again = api::decode_iterator(ours);
  expect(again && api::encode_iterator(*again) == ours, "an iterator comes back");
}

void check_texts(std::string_view text) {
  if (auto bytes = from_base64(text)) {
    auto again = from_base64(to_base64(*bytes));
    expect(again == *bytes, "base64 comes back");
  }
  if (auto bytes = from_hex(text)) expect(from_hex(to_hex(*bytes)) == *bytes, "hex comes back");
  BytesView rest = text;
  if (auto value = take_varint(rest)) {
    Bytes again;
    put_varint(again, *value);
    expect(again == text.substr(0, text.size() - rest.size()), "a count has one encoding");
  }
  for (std::uint16_t shard = 0; shard < 3; ++shard)
    if (auto sequence = api::parse_sequence_number(text, ShardId(shard)))
      expect(api::sequence_number(ShardId(shard), *sequence) == text, "a sequence has one number");
}

}  // namespace

void run(std::string_view rest) {
  switch (take_byte(rest)) {
    case 'i': check_image(rest); break;
    case 'k': check_key(rest); break;
    case 'o': check_ordered_number(rest); break;
    case 'n': check_numbers(rest); break;
    case 'v': check_version(rest); break;
    case 'c': check_context(rest); break;
    case 's': check_iterator(rest); break;
    case 't': check_texts(rest); break;
    default: break;
  }
}

}  // namespace meridian::fuzz
