#include "region-node/store/settings.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

namespace meridian::store {
namespace {

std::int64_t number_of(std::string_view text) {
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

bool newer(const Setting& one, const Setting& other) {
  return std::tie(one.changed, one.value) > std::tie(other.changed, other.value);
}

}  // namespace

std::string setting::of_region(std::string_view name, const RegionId& region) {
  return std::string(name).append("@").append(region.name());
}

const Setting* Settings::find(std::string_view name) const {
  auto at = map_.find(name);
  return at == map_.end() ? nullptr : &at->second;
}

const Setting* Settings::holding(std::string_view name, const RegionId& region) const {
  const auto* table = find(name);
  const auto* own = find(setting::of_region(name, region));
  bool holds = own != nullptr && !own->value.empty() &&
               (table == nullptr || own->changed >= table->changed);
  return holds ? own : table;
}

std::string_view Settings::text(std::string_view name) const {
  const auto* setting = find(name);
  return setting == nullptr ? std::string_view() : setting->value;
}

std::int64_t Settings::number(std::string_view name) const { return number_of(text(name)); }

std::string_view Settings::text_in(std::string_view name, const RegionId& region) const {
  const auto* setting = holding(name, region);
  return setting == nullptr ? std::string_view() : setting->value;
}

std::int64_t Settings::number_in(std::string_view name, const RegionId& region) const {
  return number_of(text_in(name, region));
}

std::optional<std::string_view> Settings::override_of(std::string_view name,
                                                      const RegionId& region) const {
  auto value = text_in(name, region);
  if (value == text(name)) return std::nullopt;
  return value;
}

conflict::Version Settings::changed_in(std::string_view name, const RegionId& region) const {
  const auto* setting = holding(name, region);
  return setting == nullptr ? conflict::Version{} : setting->changed;
}

void Settings::set(std::string name, std::string value, const conflict::Version& changed) {
  map_.insert_or_assign(std::move(name), Setting{std::move(value), changed});
}

conflict::Hlc Settings::newest() const {
  conflict::Hlc out;
  for (const auto& [name, setting] : map_) out = std::max(out, setting.changed.hlc);
  return out;
}

void Settings::merge(const Settings& theirs) {
  for (const auto& [name, setting] : theirs.map_) {
    auto [at, added] = map_.emplace(name, setting);
    if (!added && newer(setting, at->second)) at->second = setting;
  }
}

}  // namespace meridian::store
