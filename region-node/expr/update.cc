#include "region-node/expr/update.h"

#include <algorithm>

#include "common/check.h"
#include "region-node/expr/ast.h"
#include "region-node/expr/item_editor.h"
#include "region-node/expr/set_operations.h"
#include "region-node/model/item_size.h"
#include "region-node/model/number.h"

namespace meridian::expr {
namespace {

using model::AttributeList;
using model::AttributeValue;
using model::Item;
using model::NumberValue;
using Kind = UpdateAction::Kind;
using Error = std::optional<std::string>;

constexpr const char* kInvalidPath =
    "The document path provided in the update expression is invalid for update";
constexpr const char* kWrongType = "An operand in the update expression has an incorrect data type";
constexpr const char* kLegacyWrongType = "Type mismatch for attribute to update";
constexpr const char* kMissing =
    "The provided expression refers to an attribute that does not exist in the item";
constexpr const char* kTooLarge = "Item size to update has exceeded the maximum allowed size";
constexpr const char* kTooDeep =
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
    "beyond supported limit";

// What a removal does whose path leads nowhere.
enum class LostRemoval { refused, ignored };

// One run of an update.  Answers carry an error, or nothing when all went well.
class Run {
 public:
  Run(const UpdateActions& actions, const Item& old, LostRemoval lost_removal)
      : actions_(actions), old_(old), lost_removal_(lost_removal), editor_(old) {}

  Result<UpdateOutcome, std::string> run() {
    // Values first: AWS reports what is wrong with them before what is wrong with paths.
    std::vector<AttributeValue> values(actions_.actions.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (actions_.actions[i].kind != Kind::set) continue;
      if (auto error = evaluate(actions_.actions[i], values[i])) return Err(std::move(*error));
      if (!fits(values[i])) return Err(std::string(kTooLarge));
    }
    UpdateOutcome outcome;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (auto error = act(actions_.actions[i], std::move(values[i])))
        return Err(std::move(*error));
      outcome.updated.push_back(actions_.actions[i].path);
    }
    outcome.item = editor_.finish();
    if (auto error = check_limits(outcome)) return Err(std::move(*error));
    return outcome;
  }

 private:
  // Counts a value that will be a part of the new item, before there are more copies of it than an
  // item can hold.
  bool fits(const AttributeValue& value) {
    bytes_ += model::value_size(value);
    return bytes_ <= model::kItemBytesMax;
  }

  Error act(const UpdateAction& action, AttributeValue value) {
    if (!editor_.has_parent(action.path)) {
      bool ignored = action.kind == Kind::remove && lost_removal_ == LostRemoval::ignored;
      return ignored ? std::nullopt : Error(kInvalidPath);
    }
    switch (action.kind) {
      case Kind::set: editor_.assign(action.path, std::move(value)); break;
      case Kind::remove: editor_.erase(action.path); break;
      case Kind::add: return add(action);
      case Kind::delete_: return take_away(action);
    }
    return std::nullopt;
  }

  [[nodiscard]] const char* wrong_type() const {
    return actions_.legacy ? kLegacyWrongType : kWrongType;
  }

  Error add(const UpdateAction& action) {
    const AttributeValue* current = find_value(old_, action.path);
    const AttributeValue& more = *action.operand.value;
    if (current != nullptr && current->type() != more.type()) return wrong_type();
    // A sum may be shorter than what is added.
    if (more.type() != model::AttributeType::N && !fits(more)) return kTooLarge;
    if (current == nullptr) {
      editor_.assign(action.path, more);
      return std::nullopt;
    }
    if (const auto* number = more.as<NumberValue>()) {
      auto sum = model::add_numbers(current->as<NumberValue>()->text, number->text);
      if (!sum.ok()) return sum.error();
      editor_.assign(action.path, NumberValue{std::move(*sum)});
    } else if (const auto* list = more.as<AttributeList>()) {
      editor_.assign(action.path, concatenate(*current->as<AttributeList>(), *list));
    } else {
      editor_.assign(action.path, set_union(*current, more));
    }
    return std::nullopt;
  }

  Error take_away(const UpdateAction& action) {
    const AttributeValue* current = find_value(old_, action.path);
    if (current == nullptr) return std::nullopt;
    if (current->type() != action.operand.value->type()) return wrong_type();
    auto rest = set_difference(*current, *action.operand.value);
    if (rest) {
      editor_.assign(action.path, std::move(*rest));
    } else {
      editor_.erase(action.path);
    }
    return std::nullopt;
  }

  Error evaluate(const UpdateAction& action, AttributeValue& out) {
    if (action.arithmetic == UpdateAction::Arithmetic::none) return evaluate(action.operand, out);
    AttributeValue left;
    AttributeValue right;
    if (auto error = evaluate(action.operand, left)) return error;
    if (left.type() != model::AttributeType::N) return kWrongType;
    if (auto error = evaluate(action.right, right)) return error;
    if (right.type() != model::AttributeType::N) return kWrongType;
    const std::string& a = left.as<NumberValue>()->text;
    const std::string& b = right.as<NumberValue>()->text;
    auto number = action.arithmetic == UpdateAction::Arithmetic::plus
                      ? model::add_numbers(a, b)
                      : model::subtract_numbers(a, b);
    if (!number.ok()) return number.error();
    out = NumberValue{std::move(*number)};
    return std::nullopt;
  }

  Error evaluate(const Operand& operand, AttributeValue& out) {
    if (operand.kind == Operand::Kind::value) {
      out = *operand.value;
      return std::nullopt;
    }
    if (operand.kind == Operand::Kind::function) return evaluate_function(operand, out);
    const AttributeValue* value = find_value(old_, operand.path);
    if (value == nullptr) return kMissing;
    out = *value;
    return std::nullopt;
  }

  Error evaluate_function(const Operand& function, AttributeValue& out) {
    if (function.function == Function::if_not_exists) {
      if (const AttributeValue* value = find_value(old_, function.arguments[0].path)) {
        out = *value;
        return std::nullopt;
      }
      return evaluate(function.arguments[1], out);
    }
    MERIDIAN_CHECK(function.function == Function::list_append);
    AttributeValue left;
    AttributeValue right;
    if (auto error = evaluate(function.arguments[0], left)) return error;
    if (left.type() != model::AttributeType::L) return kWrongType;
    if (auto error = evaluate(function.arguments[1], right)) return error;
    if (right.type() != model::AttributeType::L) return kWrongType;
    out = concatenate(std::move(*left.as<AttributeList>()), *right.as<AttributeList>());
    return std::nullopt;
  }

  static AttributeList concatenate(AttributeList first, const AttributeList& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }

  static Error check_limits(const UpdateOutcome& outcome) {
    for (const auto& path : outcome.updated) {
      auto at = outcome.item.find(path.attribute);
      if (at != outcome.item.end() && model::nesting(at->second) > model::kNestingMax)
        return kTooDeep;
    }
    if (model::item_size(outcome.item) > model::kItemBytesMax) return kTooLarge;
    return std::nullopt;
  }

  const UpdateActions& actions_;
  const Item& old_;
  LostRemoval lost_removal_;
  ItemEditor editor_;
  std::size_t bytes_ = 0;  // of values that the new item will hold
};

}  // namespace

Result<void, std::string> Update::check_keys(const model::KeySchema& schema) const {
  if (actions_ == nullptr) return {};
  auto touches = [this](const std::string& name) {
    return std::any_of(
        actions_->actions.begin(), actions_->actions.end(),
        [&name](const UpdateAction& action) { return action.path.attribute == name; });
  };
  const std::string* touched = nullptr;
  if (touches(schema.partition.name)) {
    touched = &schema.partition.name;
  } else if (schema.sort && touches(schema.sort->name)) {
    touched = &schema.sort->name;
  }
  if (touched == nullptr) return check_key_paths(schema, operand_paths());
  return Err("One or more parameter values were invalid: Cannot update attribute " + *touched +
             ". This attribute is part of the key");
}

std::vector<Path> Update::operand_paths() const {
  std::vector<Path> out;
  std::vector<const Operand*> left;
  for (const auto& action : actions_->actions) {
    left.push_back(&action.operand);
    left.push_back(&action.right);
  }
  while (!left.empty()) {
    const Operand* operand = left.back();
    left.pop_back();
    if (operand->kind == Operand::Kind::path) out.push_back(operand->path);
    for (const auto& argument : operand->arguments) left.push_back(&argument);
  }
  return out;
}

Result<UpdateOutcome, std::string> Update::apply(const Item& old) const {
  if (actions_ == nullptr) return UpdateOutcome{old, {}};
  return Run(*actions_, old, LostRemoval::refused).run();
}

Result<UpdateOutcome, std::string> Update::create(const Item& key) const {
  if (actions_ == nullptr) return UpdateOutcome{key, {}};
  return Run(*actions_, key, LostRemoval::ignored).run();
}

bool Update::only_deletes() const {
  if (actions_ == nullptr || actions_->actions.empty()) return false;
  return std::all_of(actions_->actions.begin(), actions_->actions.end(),
                     [](const UpdateAction& action) {
                       return action.kind == Kind::remove || action.kind == Kind::delete_;
                     });
}

}  // namespace meridian::expr
