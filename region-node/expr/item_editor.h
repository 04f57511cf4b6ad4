// ItemEditor: makes one update's changes in a copy of an item.
//
// All paths mean the item as it was: list elements keep their places until finish(), where appended
// elements go to the end in ascending order of the index they were given, and removed ones close up.
// Threads: one owner.  Borrows: nothing.
// REQUIRES: no two paths of an update overlap or conflict.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "region-node/expr/path.h"
#include "region-node/model/attribute_value.h"

namespace meridian::expr {

class ItemEditor {
 public:
  explicit ItemEditor(const model::Item& old) : item_(old) {}

  // False when the path's parent is not there, or is no map or list as the path takes it to be.
  [[nodiscard]] bool has_parent(const Path& path);
  // REQUIRES (both): has_parent(path).
  void assign(const Path& path, model::AttributeValue value);
  void erase(const Path& path);
  // Ends the edit.
  model::Item finish();

 private:
  struct ListEdit {
    model::AttributeList* list = nullptr;
    std::size_t depth = 0;
    std::vector<std::pair<std::uint32_t, model::AttributeValue>> appended;
    std::vector<std::uint32_t> removed;
  };
  // The value that holds the path's last step; null when it is not there.
  model::AttributeValue* parent_of(const Path& path);
  ListEdit& edit_of(model::AttributeList& list, std::size_t depth);

  model::Item item_;
  std::vector<ListEdit> edits_;
};

}  // namespace meridian::expr
