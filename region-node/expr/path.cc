#include "region-node/expr/path.h"

#include <algorithm>

#include "common/check.h"

namespace meridian::expr {
namespace {

const model::AttributeValue* step_into(const model::AttributeValue& value, const PathStep& step) {
  if (const auto* name = std::get_if<std::string>(&step)) {
    const auto* map = value.as<model::AttributeMap>();
    if (map == nullptr) return nullptr;
    auto at = map->find(*name);
    return at == map->end() ? nullptr : &at->second;
  }
  const auto* list = value.as<model::AttributeList>();
  std::uint32_t index = *std::get_if<std::uint32_t>(&step);
  return list == nullptr || index >= list->size() ? nullptr : &(*list)[index];
}

// Follows the first `count` steps.
const model::AttributeValue* follow(const model::Item& item, const Path& path, std::size_t count) {
  auto at = item.find(path.attribute);
  if (at == item.end()) return nullptr;
  const model::AttributeValue* value = &at->second;
  for (std::size_t i = 0; i < count && value != nullptr; ++i)
    value = step_into(*value, path.steps[i]);
  return value;
}

}  // namespace

const model::AttributeValue* find_value(const model::Item& item, const Path& path) {
  return follow(item, path, path.steps.size());
}

const model::AttributeValue* find_parent(const model::Item& item, const Path& path) {
  MERIDIAN_CHECK(!path.steps.empty());
  return follow(item, path, path.steps.size() - 1);
}

std::string to_text(const Path& path) {
  std::string out = "[" + path.attribute;
  for (const auto& step : path.steps) {
    out += ", ";
    if (const auto* name = std::get_if<std::string>(&step)) {
      out += *name;
    } else {
      // Appended in steps: GCC 12 warns wrongly about "[" + std::string at -O3 (its bug 105651).
      out += '[';
      out += std::to_string(*std::get_if<std::uint32_t>(&step));
      out += ']';
    }
  }
  return out + "]";
}

PathRelation relation(const Path& a, const Path& b) {
  if (a.attribute != b.attribute) return PathRelation::apart;
  std::size_t common = std::min(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.steps[i].index() != b.steps[i].index()) return PathRelation::conflict;
    if (a.steps[i] != b.steps[i]) return PathRelation::apart;
  }
  return PathRelation::overlap;
}

Result<void, std::string> check_key_paths(const model::KeySchema& schema,
                                          const std::vector<Path>& paths) {
  auto leads_into = [&paths](const std::string& name) {
    return std::any_of(paths.begin(), paths.end(), [&name](const Path& path) {
      return path.attribute == name && !path.steps.empty();
    });
  };
  const std::string* found = nullptr;
  if (leads_into(schema.partition.name)) {
    found = &schema.partition.name;
  } else if (schema.sort && leads_into(schema.sort->name)) {
    found = &schema.sort->name;
  }
  if (found == nullptr) return {};
  return Err(
      "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
      "allowed: Key: " +
      *found);
}

}  // namespace meridian::expr
