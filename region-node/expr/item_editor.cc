#include "region-node/expr/item_editor.h"

#include <algorithm>

#include "common/check.h"

namespace meridian::expr {

using model::AttributeList;
using model::AttributeMap;
using model::AttributeValue;

AttributeValue* ItemEditor::parent_of(const Path& path) {
  return const_cast<AttributeValue*>(find_parent(item_, path));  // our own item
}

bool ItemEditor::has_parent(const Path& path) {
  if (path.steps.empty()) return true;
  const AttributeValue* parent = parent_of(path);
  if (parent == nullptr) return false;
  return std::holds_alternative<std::string>(path.steps.back())
             ? parent->as<AttributeMap>() != nullptr
             : parent->as<AttributeList>() != nullptr;
}

ItemEditor::ListEdit& ItemEditor::edit_of(AttributeList& list, std::size_t depth) {
  for (auto& edit : edits_) {
    if (edit.list == &list) return edit;
  }
  ListEdit& edit = edits_.emplace_back();
  edit.list = &list;
  edit.depth = depth;
  return edit;
}

void ItemEditor::assign(const Path& path, AttributeValue value) {
  if (path.steps.empty()) {
    item_.insert_or_assign(path.attribute, std::move(value));
    return;
  }
  AttributeValue* parent = parent_of(path);
  MERIDIAN_CHECK(parent != nullptr);
  if (const auto* name = std::get_if<std::string>(&path.steps.back())) {
    parent->as<AttributeMap>()->insert_or_assign(*name, std::move(value));
    return;
  }
  auto& list = *parent->as<AttributeList>();
  std::uint32_t index = *std::get_if<std::uint32_t>(&path.steps.back());
  if (index < list.size()) {
    list[index] = std::move(value);
  } else {
    edit_of(list, path.steps.size()).appended.emplace_back(index, std::move(value));
  }
}

void ItemEditor::erase(const Path& path) {
  if (path.steps.empty()) {
    item_.erase(path.attribute);
    return;
  }
  AttributeValue* parent = parent_of(path);
  MERIDIAN_CHECK(parent != nullptr);
  if (const auto* name = std::get_if<std::string>(&path.steps.back())) {
    parent->as<AttributeMap>()->erase(*name);
    return;
  }
  auto& list = *parent->as<AttributeList>();
  std::uint32_t index = *std::get_if<std::uint32_t>(&path.steps.back());
  if (index < list.size()) edit_of(list, path.steps.size()).removed.push_back(index);
}

model::Item ItemEditor::finish() {
  // Deepest lists first: changing a list moves the lists inside it.
  std::stable_sort(edits_.begin(), edits_.end(),
                   [](const ListEdit& a, const ListEdit& b) { return a.depth > b.depth; });
  for (auto& edit : edits_) {
    std::sort(edit.removed.begin(), edit.removed.end());
    AttributeList kept;
    kept.reserve(edit.list->size() + edit.appended.size());
    auto removed = edit.removed.begin();
    for (std::uint32_t i = 0; i < edit.list->size(); ++i) {
      if (removed != edit.removed.end() && *removed == i) {
        ++removed;
      } else {
        kept.push_back(std::move((*edit.list)[i]));
      }
    }
    std::sort(edit.appended.begin(), edit.appended.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [index, value] : edit.appended) kept.push_back(std::move(value));
    *edit.list = std::move(kept);
  }
  edits_.clear();
  return std::move(item_);
}

}  // namespace meridian::expr
