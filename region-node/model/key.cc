// An encoded key is the partition value and, where the table has one, the sort value.
//
//   partition: S, B  bytes with 0x00 written as 0x00 0xff, then 0x00 0x01
//              N     encode_number_ordered
//   sort:      S, B  the bytes as they are (nothing follows)
//              N     encode_number_ordered
#include "region-node/model/key.h"

#include "common/check.h"
#include "region-node/model/number.h"

namespace meridian::model {
namespace {

constexpr std::size_t kPartitionBytesMax = 2048;
constexpr std::size_t kSortBytesMax = 1024;
constexpr char kEscaped = '\xff';
constexpr char kEnd = '\x01';

using KeyError = std::optional<std::string>;

// The text of a string or the bytes of a binary.
const std::string* bytes_of(const AttributeValue& value) {
  if (const auto* text = value.as<StringValue>()) return &text->text;
  if (const auto* binary = value.as<BinaryValue>()) return &binary->bytes;
  return nullptr;
}

KeyError check_length(const KeyAttribute& attribute, const AttributeValue& value,
                      std::size_t bytes_max) {
  const std::string* bytes = bytes_of(value);
  if (bytes == nullptr) return std::nullopt;
  if (bytes->empty()) {
    return "One or more parameter values are not valid. The AttributeValue for a key attribute "
           "cannot contain an empty " +
           std::string(attribute.type == AttributeType::S ? "string" : "binary") +
           " value. Key: " + attribute.name;
  }
  if (bytes->size() <= bytes_max) return std::nullopt;
  if (bytes_max == kPartitionBytesMax) {
    return "One or more parameter values were invalid: Size of hashkey has exceeded the maximum "
           "size limit of2048 bytes";
  }
  return "One or more parameter values were invalid: Aggregated size of all range keys has "
         "exceeded the size limit of 1024 bytes";
}

void put_partition(Bytes& out, const AttributeValue& value) {
  if (const auto* number = value.as<NumberValue>()) {
    encode_number_ordered(out, number->text);
    return;
  }
  for (char c : *bytes_of(value)) {
    out.push_back(c);
    if (c == '\0') out.push_back(kEscaped);
  }
  out.push_back('\0');
  out.push_back(kEnd);
}

void put_sort(Bytes& out, const AttributeValue& value) {
  if (const auto* number = value.as<NumberValue>()) {
    encode_number_ordered(out, number->text);
  } else {
    out.append(*bytes_of(value));
  }
}

AttributeValue value_of(AttributeType type, std::string bytes) {
  if (type == AttributeType::S) return StringValue{std::move(bytes)};
  return BinaryValue{std::move(bytes)};
}

// Takes the partition value off the front.
std::optional<AttributeValue> take_partition(AttributeType type, BytesView& in) {
  if (type == AttributeType::N) {
    auto number = decode_number_ordered(in);
    if (!number) return std::nullopt;
    return NumberValue{std::move(*number)};
  }
  std::string bytes;
  BytesView rest = in;
  while (true) {
    std::size_t zero = rest.find('\0');
    if (zero == BytesView::npos || zero + 1 >= rest.size()) return std::nullopt;
    bytes.append(rest.substr(0, zero));
    char next = rest[zero + 1];
    rest.remove_prefix(zero + 2);
    if (next == kEnd) break;
    if (next != kEscaped) return std::nullopt;
    bytes.push_back('\0');
  }
  if (bytes.empty() || bytes.size() > kPartitionBytesMax) return std::nullopt;
  in = rest;
  return value_of(type, std::move(bytes));
}

std::optional<AttributeValue> decode_sort(AttributeType type, BytesView in) {
  if (type == AttributeType::N) {
    auto number = decode_number_ordered(in);
    if (!number || !in.empty()) return std::nullopt;
    return NumberValue{std::move(*number)};
  }
  if (in.empty() || in.size() > kSortBytesMax) return std::nullopt;
  return value_of(type, std::string(in));
}

KeyError check_item_attribute(const KeyAttribute& attribute, const Item& item,
                              std::size_t bytes_max) {
  auto at = item.find(attribute.name);
  if (at == item.end()) {
    return "One or more parameter values were invalid: Missing the key " + attribute.name +
           " in the item";
  }
  if (at->second.type() != attribute.type) {
    return "One or more parameter values were invalid: Type mismatch for key " + attribute.name +
           " expected: " + type_name(attribute.type) + " actual: " + type_name(at->second.type());
  }
  return check_length(attribute, at->second, bytes_max);
}

bool matches(const KeyAttribute& attribute, const Item& key) {
  auto at = key.find(attribute.name);
  return at != key.end() && at->second.type() == attribute.type;
}

KeyError check_condition(const KeyAttribute& attribute, const AttributeValue& value,
                         std::size_t bytes_max) {
  if (value.type() != attribute.type) {
    return "One or more parameter values were invalid: Condition parameter type does not match "
           "schema type";
  }
  return check_length(attribute, value, bytes_max);
}

}  // namespace

Result<Bytes, std::string> encode_key(const KeySchema& schema, const Item& item) {
  if (auto error = check_item_attribute(schema.partition, item, kPartitionBytesMax))
    return Err(std::move(*error));
  Bytes out;
  put_partition(out, item.find(schema.partition.name)->second);
  if (schema.sort) {
    if (auto error = check_item_attribute(*schema.sort, item, kSortBytesMax))
      return Err(std::move(*error));
    put_sort(out, item.find(schema.sort->name)->second);
  }
  return out;
}

Result<Bytes, std::string> encode_exact_key(const KeySchema& schema, const Item& key) {
  bool fits = key.size() == (schema.sort ? 2U : 1U) && matches(schema.partition, key) &&
              (!schema.sort || matches(*schema.sort, key));
  if (!fits) return Err(std::string("The provided key element does not match the schema"));
  return encode_key(schema, key);
}

Result<Bytes, std::string> encode_partition(const KeySchema& schema,
                                            const AttributeValue& partition) {
  if (auto error = check_condition(schema.partition, partition, kPartitionBytesMax))
    return Err(std::move(*error));
  Bytes out;
  put_partition(out, partition);
  return out;
}

Result<Bytes, std::string> encode_sort(const KeySchema& schema, const AttributeValue& sort) {
  MERIDIAN_CHECK(schema.sort.has_value());
  if (auto error = check_condition(*schema.sort, sort, kSortBytesMax))
    return Err(std::move(*error));
  Bytes out;
  put_sort(out, sort);
  return out;
}

std::optional<Item> decode_key(const KeySchema& schema, BytesView key) {
  auto partition = take_partition(schema.partition.type, key);
  if (!partition) return std::nullopt;
  Item item;
  item.emplace(schema.partition.name, std::move(*partition));
  if (!schema.sort) {
    if (!key.empty()) return std::nullopt;
    return item;
  }
  auto sort = decode_sort(schema.sort->type, key);
  if (!sort) return std::nullopt;
  item.emplace(schema.sort->name, std::move(*sort));
  return item;
}

std::optional<BytesView> partition_part(const KeySchema& schema, BytesView key) {
  BytesView rest = key;
  if (!take_partition(schema.partition.type, rest)) return std::nullopt;
  return key.substr(0, key.size() - rest.size());
}

ShardId shard_of(const KeySchema& schema, BytesView key, std::uint16_t shards) {
  MERIDIAN_CHECK(shards > 0);
  std::uint64_t hash = hash64(partition_part(schema, key).value_or(key));
  return ShardId(static_cast<std::uint16_t>(hash % shards));
}

std::optional<Bytes> prefix_end(BytesView prefix) {
  std::size_t size = prefix.size();
  while (size > 0 && prefix[size - 1] == '\xff') --size;
  if (size == 0) return std::nullopt;
  Bytes end(prefix.substr(0, size));
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace meridian::model
