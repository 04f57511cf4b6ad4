#include "region-node/model/item_size.h"

#include <algorithm>
#include <type_traits>

namespace meridian::model {
namespace {

constexpr std::size_t kContainerBytes = 3;
constexpr std::size_t kElementBytes = 1;

// Two digits to a byte, paired from the decimal point outwards; one byte for the exponent, one for
// a minus sign.
std::size_t number_size(std::string_view canonical) {
  bool negative = canonical.starts_with('-');
  if (negative) canonical.remove_prefix(1);
  std::size_t first = canonical.find_first_not_of("0.");
  if (first == std::string_view::npos) return 1;
  std::size_t last = canonical.find_last_not_of("0.");
  std::size_t point = std::min(canonical.find('.'), canonical.size());
  // Distance of a digit from the point, counted so that both sides pair up alike.
  auto pair_of = [point](std::size_t at) {
    return at < point ? static_cast<long>((point - 1 - at) / 2)
                      : -1 - static_cast<long>((at - point - 1) / 2);
  };
  auto pairs = static_cast<std::size_t>(pair_of(first) - pair_of(last) + 1);
  return 1 + pairs + (negative ? 1 : 0);
}

std::size_t sum_of_sizes(const std::vector<std::string>& values) {
  std::size_t sum = 0;
  for (const auto& value : values) sum += value.size();
  return sum;
}

std::size_t map_size(const AttributeMap& map) {
  std::size_t sum = kContainerBytes;
  for (const auto& [name, value] : map) sum += name.size() + value_size(value) + kElementBytes;
  return sum;
}

struct SizeOf {
  std::size_t operator()(const StringValue& value) const { return value.text.size(); }
  std::size_t operator()(const NumberValue& value) const { return number_size(value.text); }
  std::size_t operator()(const BinaryValue& value) const { return value.bytes.size(); }
  std::size_t operator()(bool) const { return 1; }
  std::size_t operator()(const NullValue&) const { return 1; }
  std::size_t operator()(const AttributeMap& value) const { return map_size(value); }
  std::size_t operator()(const AttributeList& value) const {
    std::size_t sum = kContainerBytes;
    for (const auto& element : value) sum += value_size(element) + kElementBytes;
    return sum;
  }
  std::size_t operator()(const StringSet& value) const { return sum_of_sizes(value.values); }
  std::size_t operator()(const NumberSet& value) const {
    std::size_t sum = 0;
    for (const auto& element : value.values) sum += number_size(element);
    return sum;
  }
  std::size_t operator()(const BinarySet& value) const { return sum_of_sizes(value.values); }
};

}  // namespace

std::size_t value_size(const AttributeValue& value) {
  return std::visit(SizeOf{}, value.variant());
}

std::size_t item_size(const Item& item) {
  std::size_t sum = 0;
  for (const auto& [name, value] : item) sum += name.size() + value_size(value);
  return sum;
}

std::size_t nesting(const AttributeValue& value) {
  std::size_t deepest = 0;
  if (const auto* map = value.as<AttributeMap>()) {
    for (const auto& [name, member] : *map) deepest = std::max(deepest, nesting(member));
    return deepest + 1;
  }
  if (const auto* list = value.as<AttributeList>()) {
    for (const auto& element : *list) deepest = std::max(deepest, nesting(element));
    return deepest + 1;
  }
  return 0;
}

}  // namespace meridian::model
