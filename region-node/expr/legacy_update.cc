// AttributeUpdates.
#include "region-node/expr/ast.h"
#include "region-node/expr/legacy.h"

namespace meridian::expr {
namespace {

using model::AttributeType;
using Error = std::optional<std::string>;

bool is_set(AttributeType type) {
  return type == AttributeType::SS || type == AttributeType::NS || type == AttributeType::BS;
}

Error check_update(const LegacyUpdate& update) {
  if (!update.value) {
    if (update.action == LegacyAction::DELETE) return std::nullopt;
    return std::string(kInvalidValues) +
           "Only DELETE action is allowed when no attribute value is specified";
  }
  AttributeType type = update.value->type();
  if (update.action == LegacyAction::DELETE && !is_set(type)) {
    return std::string(kInvalidValues) + "DELETE action with value is not supported for the type " +
           model::type_name(type);
  }
  bool can_add = is_set(type) || type == AttributeType::N || type == AttributeType::L;
  if (update.action == LegacyAction::ADD && !can_add) {
    return std::string(kInvalidValues) + "ADD action is not supported for the type " +
           model::type_name(type);
  }
  return std::nullopt;
}

UpdateAction::Kind kind_of(const LegacyUpdate& update) {
  switch (update.action) {
    case LegacyAction::PUT: return UpdateAction::Kind::set;
    case LegacyAction::ADD: return UpdateAction::Kind::add;
    case LegacyAction::DELETE: break;
  }
  return update.value ? UpdateAction::Kind::delete_ : UpdateAction::Kind::remove;
}

}  // namespace

std::optional<LegacyAction> parse_legacy_action(std::string_view name) {
  if (name == "PUT") return LegacyAction::PUT;
  if (name == "ADD") return LegacyAction::ADD;
  if (name == "DELETE") return LegacyAction::DELETE;
  return std::nullopt;
}

Result<Update, std::string> update_from_attribute_updates(const LegacyUpdates& updates) {
  UpdateActions out;
  out.legacy = true;
  for (const auto& [name, update] : updates) {
    if (auto error = check_update(update)) return Err(std::move(*error));
    UpdateAction& action = out.actions.emplace_back();
    action.kind = kind_of(update);
    action.path.attribute = name;
    action.operand.kind = Operand::Kind::value;
    if (update.value)
      action.operand.value = std::make_shared<const model::AttributeValue>(*update.value);
  }
  return Update(std::make_shared<const UpdateActions>(std::move(out)));
}

}  // namespace meridian::expr
