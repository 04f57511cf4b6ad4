#include "region-node/expr/placeholders.h"

#include <algorithm>
#include <vector>

#include "region-node/expr/lexer.h"
#include "region-node/model/item_size.h"

namespace meridian::expr {
namespace {

bool is_placeholder(std::string_view token, char mark) {
  if (token.size() < 2 || token.front() != mark) return false;
  return std::all_of(token.begin() + 1, token.end(), is_word);
}

std::size_t bytes_of(const std::string& name) { return name.size(); }
std::size_t bytes_of(const model::AttributeValue& value) { return model::value_size(value); }

template <typename Map>
std::size_t map_bytes(const Map* map) {
  std::size_t sum = 0;
  if (map == nullptr) return sum;
  for (const auto& [token, meaning] : *map) sum += token.size() + bytes_of(meaning);
  return sum;
}

const char* mistake_in(const std::string& name) { return mistake_in_name(name); }
// Values are checked where they are read.
const char* mistake_in(const model::AttributeValue&) { return nullptr; }

std::optional<std::string> check_key(const std::string& token, char mark) {
  if (token.size() > kPlaceholderBytesMax) {
    // AWS gives the size with names only.
    return "The expression attribute map contains a key that is too long;" +
           (mark == '#' ? " size of key: " + std::to_string(token.size()) : "");
  }
  if (!is_placeholder(token, mark)) return "Syntax error; key: \"" + token + "\"";
  return std::nullopt;
}

template <typename Map>
std::optional<std::string> check_map(const Map* map, std::size_t bytes,
                                     const std::string& parameter, char mark) {
  if (map == nullptr) return std::nullopt;
  if (map->empty()) return parameter + " must not be empty";
  if (bytes > kPlaceholderMapBytesMax) return parameter + " exceeds max size";
  for (const auto& [token, meaning] : *map) {
    if (auto mistake = check_key(token, mark))
      return parameter + " contains invalid key: " + *mistake;
    if (const char* mistake = mistake_in(meaning))
      return parameter + " contains invalid value: " + mistake + " for key " + token;
  }
  return std::nullopt;
}

template <typename Map, typename Used>
std::optional<std::string> check_used(const Map* map, const std::string& parameter,
                                      const Used& used) {
  if (map == nullptr) return std::nullopt;
  std::string unused;
  for (const auto& [token, meaning] : *map) {
    if (used.contains(token)) continue;
    if (!unused.empty()) unused += ", ";
    unused += token;
  }
  if (unused.empty()) return std::nullopt;
  return "Value provided in " + parameter + " unused in expressions: keys: {" + unused + "}";
}

constexpr const char* kNames = "ExpressionAttributeNames";
constexpr const char* kValues = "ExpressionAttributeValues";

}  // namespace

const char* parameter_name(Parameter parameter) {
  switch (parameter) {
    case Parameter::condition: return "ConditionExpression";
    case Parameter::filter: return "FilterExpression";
    case Parameter::key_condition: return "KeyConditionExpression";
    case Parameter::update: return "UpdateExpression";
    case Parameter::projection: return "ProjectionExpression";
  }
  return "";
}

const char* mistake_in_name(std::string_view name) {
  if (name.empty()) return "Empty attribute name";
  if (name.size() > model::kAttributeNameBytesMax)
    return "Attribute name is too large, must be less than 65536 bytes";
  return nullptr;
}

Result<void, std::string> Placeholders::check_maps() const {
  const std::size_t names = map_bytes(names_);
  const std::size_t values = map_bytes(values_);
  if (auto error = check_map(names_, names, kNames, '#')) return Err(std::move(*error));
  if (auto error = check_map(values_, values, kValues, ':')) return Err(std::move(*error));
  if (names + values > kPlaceholderMapBytesMax) {
    return Err(std::string("Combined size of ") + kNames + " and " + kValues + " exceeds max size");
  }
  return {};
}

Result<void, std::string> Placeholders::check_all_used() const {
  if (auto error = check_used(names_, kNames, used_names_)) return Err(std::move(*error));
  if (auto error = check_used(values_, kValues, used_values_)) return Err(std::move(*error));
  return {};
}

const std::string* Placeholders::name(std::string_view token) {
  if (names_ == nullptr) return nullptr;
  auto at = names_->find(token);
  if (at == names_->end()) return nullptr;
  used_names_.emplace(token);
  return &at->second;
}

std::shared_ptr<const model::AttributeValue> Placeholders::value(std::string_view token) {
  if (values_ == nullptr) return nullptr;
  auto at = values_->find(token);
  if (at == values_->end()) return nullptr;
  auto& shared = used_values_[at->first];
  if (shared == nullptr) shared = std::make_shared<const model::AttributeValue>(at->second);
  return shared;
}

}  // namespace meridian::expr
