#include "region-node/expr/compare.h"

#include <string.h>  // memmem

#include <algorithm>

#include "region-node/model/number.h"

namespace meridian::expr {
namespace {

using model::AttributeType;
using model::AttributeValue;

bool has(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Not string::find, whose time grows with the product of both lengths where a part nearly matches
// everywhere; memmem's does not, and conditions are evaluated by the one thread that writes.
bool has_part(const std::string& whole, const std::string& part) {
  return ::memmem(whole.data(), whole.size(), part.data(), part.size()) != nullptr;
}

}  // namespace

bool is_ordered(AttributeType type) {
  return type == AttributeType::S || type == AttributeType::N || type == AttributeType::B;
}

std::optional<std::strong_ordering> compare_values(const AttributeValue& a,
                                                   const AttributeValue& b) {
  if (a.type() != b.type()) return std::nullopt;
  if (const auto* text = a.as<model::StringValue>())
    return text->text <=> b.as<model::StringValue>()->text;
  if (const auto* number = a.as<model::NumberValue>())
    return model::compare_numbers(number->text, b.as<model::NumberValue>()->text);
  if (const auto* binary = a.as<model::BinaryValue>())
    return binary->bytes <=> b.as<model::BinaryValue>()->bytes;
  return std::nullopt;
}

bool begins_with(const AttributeValue& value, const AttributeValue& prefix) {
  if (const auto* text = prefix.as<model::StringValue>()) {
    const auto* whole = value.as<model::StringValue>();
    return whole != nullptr && whole->text.starts_with(text->text);
  }
  if (const auto* binary = prefix.as<model::BinaryValue>()) {
    const auto* whole = value.as<model::BinaryValue>();
    return whole != nullptr && whole->bytes.starts_with(binary->bytes);
  }
  return false;
}

bool contains(const AttributeValue& whole, const AttributeValue& part) {
  if (const auto* list = whole.as<model::AttributeList>())
    return std::find(list->begin(), list->end(), part) != list->end();
  if (const auto* text = part.as<model::StringValue>()) {
    if (const auto* in = whole.as<model::StringValue>()) return has_part(in->text, text->text);
    const auto* set = whole.as<model::StringSet>();
    return set != nullptr && has(set->values, text->text);
  }
  if (const auto* number = part.as<model::NumberValue>()) {
    const auto* set = whole.as<model::NumberSet>();
    return set != nullptr && has(set->values, number->text);
  }
  if (const auto* binary = part.as<model::BinaryValue>()) {
    if (const auto* in = whole.as<model::BinaryValue>()) return has_part(in->bytes, binary->bytes);
    const auto* set = whole.as<model::BinarySet>();
    return set != nullptr && has(set->values, binary->bytes);
  }
  return false;
}

std::optional<std::size_t> size_of(const AttributeValue& value) {
  switch (value.type()) {
    case AttributeType::S: return value.as<model::StringValue>()->text.size();
    case AttributeType::B: return value.as<model::BinaryValue>()->bytes.size();
    case AttributeType::M: return value.as<model::AttributeMap>()->size();
    case AttributeType::L: return value.as<model::AttributeList>()->size();
    case AttributeType::SS: return value.as<model::StringSet>()->values.size();
    case AttributeType::NS: return value.as<model::NumberSet>()->values.size();
    case AttributeType::BS: return value.as<model::BinarySet>()->values.size();
    case AttributeType::N:
    case AttributeType::BOOL:
    case AttributeType::NULL_: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace meridian::expr
