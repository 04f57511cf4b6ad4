// AttributeValue and Item: DynamoDB's data model in memory.
//
// All ten types: S, N, B, BOOL, NULL, M, L, SS, NS, BS.  Numbers are held in canonical text
// (model/number.h), sets sorted and unique, maps ordered by name; so two values are equal by value
// exactly when they compare equal, and when their canonical images (model/image.h) are the same bytes.
//
// Threads: value types, no sharing.
// Limits: nesting kNestingMax; names kAttributeNameBytesMax; item kItemBytesMax by DynamoDB's own size
// rule (model/item_size.h).
// Source: DynamoDB developer guide, "Supported data types and naming rules" and "Item sizes".
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace meridian::model {

inline constexpr std::size_t kNestingMax = 32;
inline constexpr std::size_t kAttributeNameBytesMax = 65'535;
inline constexpr std::size_t kItemBytesMax = 400 * 1024;

class AttributeValue;

using AttributeMap = std::map<std::string, AttributeValue, std::less<>>;
using AttributeList = std::vector<AttributeValue>;
// An item is a map from attribute name to value.
using Item = AttributeMap;

enum class AttributeType { S, N, B, BOOL, NULL_, M, L, SS, NS, BS };

// "S", "N", ... "NULL": the letters of the wire format.
const char* type_name(AttributeType type);

struct StringValue {
  std::string text;
  auto operator<=>(const StringValue&) const = default;
};
// Canonical decimal text; see model/number.h.  Equality is numeric equality; order is not.
struct NumberValue {
  std::string text;
  bool operator==(const NumberValue&) const = default;
};
struct BinaryValue {
  std::string bytes;
  auto operator<=>(const BinaryValue&) const = default;
};
struct NullValue {
  bool operator==(const NullValue&) const = default;
};
// Sorted, unique, not empty.  Strings and binaries by bytes; numbers by value.
struct StringSet {
  std::vector<std::string> values;
  bool operator==(const StringSet&) const = default;
};
struct NumberSet {
  std::vector<std::string> values;
  bool operator==(const NumberSet&) const = default;
};
struct BinarySet {
  std::vector<std::string> values;
  bool operator==(const BinarySet&) const = default;
};

// Whether T is one of a variant's alternatives.  (is_constructible would ask AttributeValue about
// itself while it is being answered.)
template <typename T, typename V>
inline constexpr bool kIsAlternative = false;
template <typename T, typename... Ts>
inline constexpr bool kIsAlternative<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);

class AttributeValue {
 public:
  using Variant = std::variant<StringValue, NumberValue, BinaryValue, bool, NullValue, AttributeMap,
                               AttributeList, StringSet, NumberSet, BinarySet>;

  AttributeValue() : value_(NullValue{}) {}
  template <typename T>
    requires kIsAlternative<T, Variant>
  // NOLINTNEXTLINE(google-explicit-constructor)
  AttributeValue(T value) : value_(std::in_place_type<T>, std::move(value)) {}

  // Index order of Variant equals AttributeType.
  [[nodiscard]] AttributeType type() const { return static_cast<AttributeType>(value_.index()); }
  [[nodiscard]] const Variant& variant() const { return value_; }
  [[nodiscard]] Variant& variant() { return value_; }
  // Null when the value is of another type.
  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value_);
  }
  template <typename T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&value_);
  }

  bool operator==(const AttributeValue& other) const = default;

 private:
  Variant value_;
};

}  // namespace meridian::model
