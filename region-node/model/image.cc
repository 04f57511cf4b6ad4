// Format 1:
//
//   image  = 0x01 map
//   map    = count { string value }                 names ascend, each once
//   value  = kind payload
//   string = length bytes
//   payload by kind: S, N, B: string;  true, false, NULL: nothing;  M: map;  L: count { value };
//                    SS, NS, BS: count { string }   ascending, each once, at least one
//
// Counts and lengths are LEB128 in the shortest form; so a value has exactly one encoding.
#include "region-node/model/image.h"

#include <cstdint>

#include "region-node/model/number.h"

namespace meridian::model {
namespace {

constexpr char kFormat = 1;

enum Kind : char {
  kString = 1,
  kNumber = 2,
  kBinary = 3,
  kFalse = 4,
  kTrue = 5,
  kNull = 6,
  kMap = 7,
  kList = 8,
  kStringSet = 9,
  kNumberSet = 10,
  kBinarySet = 11,
};

void put_string(Bytes& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

void put_value(Bytes& out, const AttributeValue& value);

void put_map(Bytes& out, const AttributeMap& map) {
  put_varint(out, map.size());
  for (const auto& [name, value] : map) {
    put_string(out, name);
    put_value(out, value);
  }
}

struct Put {
  Bytes& out;

  void put_set(Kind kind, const std::vector<std::string>& values) const {
    out.push_back(kind);
    put_varint(out, values.size());
    for (const auto& value : values) put_string(out, value);
  }
  void put_scalar(Kind kind, const std::string& text) const {
    out.push_back(kind);
    put_string(out, text);
  }

  void operator()(const StringValue& value) const { put_scalar(kString, value.text); }
  void operator()(const NumberValue& value) const { put_scalar(kNumber, value.text); }
  void operator()(const BinaryValue& value) const { put_scalar(kBinary, value.bytes); }
  void operator()(bool value) const { out.push_back(value ? kTrue : kFalse); }
  void operator()(const NullValue&) const { out.push_back(kNull); }
  void operator()(const AttributeMap& value) const {
    out.push_back(kMap);
    put_map(out, value);
  }
  void operator()(const AttributeList& value) const {
    out.push_back(kList);
    put_varint(out, value.size());
    for (const auto& element : value) put_value(out, element);
  }
  void operator()(const StringSet& value) const { put_set(kStringSet, value.values); }
  void operator()(const NumberSet& value) const { put_set(kNumberSet, value.values); }
  void operator()(const BinarySet& value) const { put_set(kBinarySet, value.values); }
};

void put_value(Bytes& out, const AttributeValue& value) { std::visit(Put{out}, value.variant()); }

bool is_canonical(const std::string& number) {
  auto canonical = canonical_number(number);
  return canonical.ok() && *canonical == number;
}

// Reads one image.  Every method answers false on malformed bytes, and then the object is spent.
class Decoder {
 public:
  explicit Decoder(BytesView in) : in_(in) {}

  bool map(AttributeMap& out, std::size_t depth) {
    std::size_t count = 0;
    if (!length(count)) return false;
    for (std::size_t i = 0; i < count; ++i) {
      std::string name;
      if (!string(name)) return false;
      if (!out.empty() && !(out.rbegin()->first < name)) return false;
      auto at = out.emplace_hint(out.end(), std::move(name), AttributeValue());
      if (!value(at->second, depth)) return false;
    }
    return true;
  }
  [[nodiscard]] bool at_end() const { return in_.empty(); }

 private:
  // A count or length.  Everything counted takes at least a byte, so a count beyond the rest is a lie.
  bool length(std::size_t& out) {
    auto taken = take_varint(in_);
    if (!taken || *taken > in_.size()) return false;
    out = static_cast<std::size_t>(*taken);
    return true;
  }

  bool string(std::string& out) {
    std::size_t size = 0;
    if (!length(size)) return false;
    out.assign(in_.substr(0, size));
    in_.remove_prefix(size);
    return true;
  }

  bool number(std::string& out) { return string(out) && is_canonical(out); }

  bool list(AttributeList& out, std::size_t depth) {
    std::size_t count = 0;
    if (!length(count)) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (!value(out.emplace_back(), depth)) return false;
    }
    return true;
  }

  bool set(std::vector<std::string>& out) {
    std::size_t count = 0;
    if (!length(count) || count == 0) return false;
    for (std::size_t i = 0; i < count; ++i) {
      std::string element;
      if (!string(element)) return false;
      if (!out.empty() && !(out.back() < element)) return false;
      out.push_back(std::move(element));
    }
    return true;
  }

  bool number_set(std::vector<std::string>& out) {
    std::size_t count = 0;
    if (!length(count) || count == 0) return false;
    for (std::size_t i = 0; i < count; ++i) {
      std::string element;
      if (!number(element)) return false;
      if (!out.empty() && compare_numbers(out.back(), element) >= 0) return false;
      out.push_back(std::move(element));
    }
    return true;
  }

  // `depth`: containers that may still be opened.
  bool value(AttributeValue& out, std::size_t depth) {
    if (in_.empty()) return false;
    char kind = in_.front();
    in_.remove_prefix(1);
    switch (kind) {
      case kString: return string(out.variant().emplace<StringValue>().text);
      case kNumber: return number(out.variant().emplace<NumberValue>().text);
      case kBinary: return string(out.variant().emplace<BinaryValue>().bytes);
      case kFalse: out.variant().emplace<bool>(false); return true;
      case kTrue: out.variant().emplace<bool>(true); return true;
      case kNull: out.variant().emplace<NullValue>(); return true;
      case kMap: return depth > 0 && map(out.variant().emplace<AttributeMap>(), depth - 1);
      case kList: return depth > 0 && list(out.variant().emplace<AttributeList>(), depth - 1);
      case kStringSet: return set(out.variant().emplace<StringSet>().values);
      case kNumberSet: return number_set(out.variant().emplace<NumberSet>().values);
      case kBinarySet: return set(out.variant().emplace<BinarySet>().values);
      default: return false;
    }
  }

  BytesView in_;
};

}  // namespace

Bytes encode_image(const Item& item) {
  Bytes out;
  out.reserve(256);
  out.push_back(kFormat);
  put_map(out, item);
  return out;
}

std::optional<Item> decode_image(BytesView image) {
  if (image.empty() || image.front() != kFormat) return std::nullopt;
  Decoder decoder(image.substr(1));
  Item item;
  if (!decoder.map(item, kNestingMax) || !decoder.at_end()) return std::nullopt;
  return item;
}

std::uint64_t image_hash(BytesView image) {
  std::uint64_t hash = hash64(image);
  return hash == 0 ? 1 : hash;  // 0 stands for a tombstone
}

}  // namespace meridian::model
